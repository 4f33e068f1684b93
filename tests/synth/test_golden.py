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


@pytest.mark.parametrize("name", ["local-platform", "local-flight-delay", "prod-platform", "prod-churn"])
def test_the_stack_is_the_golden_one(name, second, prod):
    stack = (second | prod)[name]
    document = json.dumps(normal(stack.document), indent=1) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get(UPDATE_VARIABLE):
        path.write_text(document, encoding="utf-8")
    assert document == path.read_text(encoding="utf-8")


def test_no_hash_of_the_code_is_left_in_a_golden_file():
    text = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.json"))
    assert [tag(image) for image in IMAGES if tag(image) in text] == []
