import copy
import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from infra.config import schema
from infra.errors import CheckFailed

PROJECT = Path(__file__).parents[4]
CASES = PROJECT / "tests/config_cases"
MODELS = [*PROJECT.glob("infra/models/*.yaml"), *CASES.glob("*.happy.yaml")]
ENVIRONMENTS = [*PROJECT.glob("infra/environments/*.yaml"), *CASES.glob("environments/*.happy.yaml")]
FIRST_LINES = {"models": "model", "environments": "environment"}


def problems(path, of):
    validator = jsonschema.Draft202012Validator(of)
    return [error.message for error in validator.iter_errors(YAML(typ="safe", pure=True).load(path))]


def fields(node):
    for section in [node, *node["$defs"].values()]:
        for name, field in section["properties"].items():
            yield name, field, name in section.get("required", [])


def test_the_committed_files_are_in_step_with_the_code():
    assert len(schema.check_files()) == 4


def test_a_file_out_of_step_is_named_with_the_command_that_mends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "FOLDER", tmp_path)
    monkeypatch.setattr(schema, "REFERENCE", tmp_path)
    with pytest.raises(CheckFailed, match=r"model\.schema\.json is out of step: run `sagestack schema`"):
        schema.check_files()
    schema.write_files()
    (tmp_path / "model.md").write_text("stale")
    with pytest.raises(CheckFailed, match=r"^\S+model\.md is out of step: run `sagestack schema`$"):
        schema.check_files()


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_every_model_file_that_loads_is_right_by_the_schema(path):
    assert problems(path, schema.model_schema()) == []


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_every_environment_file_that_loads_is_right_by_the_schema(path):
    assert problems(path, schema.environment_schema()) == []


def test_the_schema_refuses_an_unknown_key_in_a_file_and_in_an_overlay():
    whole = YAML(typ="safe", pure=True).load(CASES / "minimal.happy.yaml")
    validator = jsonschema.Draft202012Validator(schema.model_schema())
    wrong = copy.deepcopy(whole) | {"endpoint": {"colour": "red"}}
    assert not validator.is_valid(wrong)
    assert validator.is_valid(whole | {"environments": {"prod": {"endpoint": {"scaling": {"max": 9}}}}})
    assert not validator.is_valid(whole | {"environments": {"prod": {"endpoint": {"scaling": {"maxx": 9}}}}})


def test_the_schema_takes_each_kind_of_endpoint_with_its_own_keys_only():
    whole = YAML(typ="safe", pure=True).load(CASES / "minimal.happy.yaml")
    validator = jsonschema.Draft202012Validator(schema.model_schema())
    assert validator.is_valid(whole | {"endpoint": {"kind": "serverless", "memory_mb": 1024}})
    assert not validator.is_valid(whole | {"endpoint": {"kind": "serverless", "capture": {"percent": 1}}})
    assert not validator.is_valid(whole | {"endpoint": {"memory_mb": 1024}})
    assert validator.is_valid(whole | {"environments": {"prod": {"endpoint": {"memory_mb": 4096}}}})


@pytest.mark.parametrize("of", [schema.model_schema, schema.environment_schema])
def test_every_field_says_what_it_means_and_is_required_or_has_a_default(of):
    of = of()
    for name, field, required in fields({**of, "$defs": {k: v for k, v in of["$defs"].items() if "Overlay" not in k}}):
        section = "$ref" in json.dumps(field)
        assert "description" in field or section, name
        assert (
            required
            or "default" in field
            or section
            or name in {"dimensions", "environment", "environments", "hyperparameters", "releases", "tags", "name"}
        ), name


@pytest.mark.parametrize("path", [*MODELS[:1], *ENVIRONMENTS[:1]], ids=lambda path: path.name)
def test_the_first_line_of_a_file_names_its_schema_for_editors(path):
    kind = FIRST_LINES[path.parent.name]
    assert path.read_text().startswith(f"# yaml-language-server: $schema=../config/{kind}.schema.json\n")
