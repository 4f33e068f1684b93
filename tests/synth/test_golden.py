"""The whole of four stacks, so that a review sees what a change of code changes in AWS.

Look at the difference, then write the files anew: SAGESTACK_UPDATE_GOLDEN=1 pytest tests/synth/test_golden.py
"""

import json
import os
import re
from pathlib import Path

import pytest

from infra.images import IMAGES, tag

GOLDEN = Path(__file__).parent / "golden"
UPDATE_VARIABLE = "SAGESTACK_UPDATE_GOLDEN"
REPLACED = {
    "pipeline_definition": "flight-delay.pipeline.json is its golden file",
    "source_code_hash": "<hash of the code>",
}
SERVING = re.compile(r"(endpoint|alarms|autoscaling|dashboard|batch|drift|quality)_")
ASSET = re.compile(r"(?P<folder>assets/\w+)/[0-9A-F]{32}/[0-9a-f]{16}\.zip")


def normal(value, key=""):
    """Documents within documents as themselves, without what the framework notes and without hashes of the code."""
    if isinstance(value, dict):
        return {name: normal(one, name) for name, one in value.items() if name != "//"}
    if isinstance(value, list):
        return [normal(one) for one in value]
    if not isinstance(value, str):
        return value
    if key in REPLACED:
        return REPLACED[key]
    return {"(JSON)": normal(json.loads(value))} if is_document(value) else without_hashes(value)


def is_document(text):
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def without_hashes(text):
    for image in IMAGES:
        text = text.replace(f"/{image}:{tag(image)}", f"/{image}:<hash of the image>")
    return ASSET.sub(r"\g<folder>/<hash of the code>.zip", text)


def held_against_the_file(name, content):
    document = json.dumps(normal(content), indent=1) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get(UPDATE_VARIABLE):
        path.write_text(document, encoding="utf-8")
    assert document == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["local-platform", "local-flight-delay", "prod-platform", "prod-churn"])
def test_the_stack_is_the_golden_one(name, second, prod):
    held_against_the_file(name, (second | prod)[name].document)


@pytest.mark.parametrize("kind", sorted(path.stem for path in Path(__file__).parent.glob("kinds/*.yaml")))
def test_what_serves_a_kind_of_endpoint_is_the_golden_one(kind, kinds):
    """The part that is the kind's own: training, registry and governor are the same for all."""
    resources = {
        kind_: {id_: resource for id_, resource in found.items() if SERVING.match(id_)}
        for kind_, found in kinds[kind].document["resource"].items()
    }
    held_against_the_file(f"kind-{kind}", {kind_: found for kind_, found in resources.items() if found})


def test_no_hash_of_the_code_is_left_in_a_golden_file():
    text = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.json"))
    assert [tag(image) for image in IMAGES if tag(image) in text] == []
