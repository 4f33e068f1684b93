"""The examples of docs/endpoint-kinds.md are right, are one a kind, and say what the page says around them."""

import re
from pathlib import Path
from typing import get_args

import pytest

from infra.config import EndpointConfig, load_environment, load_model

PAGE = (Path(__file__).parents[4] / "docs/endpoint-kinds.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^## (.+?)$.*?^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(params=EXAMPLES, ids=[heading for heading, _ in EXAMPLES])
def example(request, files):
    heading, text = request.param
    files.write("infra/models/churn.yaml", text)
    return heading, load_model("churn", load_environment("local")).endpoint


def test_an_example_is_of_the_kind_that_its_heading_names(example):
    heading, endpoint = example
    assert heading.partition(":")[0].lower().replace(" ", "-") == endpoint.kind


def test_there_is_an_example_and_a_row_of_every_kind():
    kinds = {get_args(option)[0].model_fields["kind"].annotation for option in get_args(get_args(EndpointConfig)[0])}
    names = {get_args(kind)[0] for kind in kinds}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)) == names
    assert {heading.partition(":")[0].lower().replace(" ", "-") for heading, _ in EXAMPLES} == names


def test_an_example_fits_in_a_dozen_lines():
    assert max(text.count("\n") for _, text in EXAMPLES) <= 12
