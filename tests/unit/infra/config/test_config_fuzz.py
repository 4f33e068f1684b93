"""Whatever stands in a file, the answer is a configuration or its problems with their lines, and nothing else."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from infra.config import ConfigError, EnvironmentConfig, load_environment, load_model, model_names
from infra.config.yaml_source import read_yaml

PROJECT = Path(__file__).parents[4]
WHOLE = YAML(typ="safe", pure=True).load(PROJECT / "infra/models/flight-delay.yaml") | {
    "environments": {"local": {"endpoint": {"scaling": {"min": 2}, "capture": {"percent": 0}}}}
}
OF_EACH_KIND = [
    WHOLE | YAML(typ="safe", pure=True).load(path) | {"name": WHOLE["name"]}
    for path in sorted((PROJECT / "tests/synth/kinds").glob("*.yaml"))
]
ENVIRONMENT = EnvironmentConfig.model_validate(
    {
        "name": "local",
        "prefix": "acme",
        "account": "123456789012",
        "region": "us-east-1",
        "state": {"kind": "file", "directory": "state"},
    }
)
CREATED = {
    "prefix": "acme",
    "account": "123456789012",
    "region": "eu-central-1",
    "state": {"kind": "s3", "bucket": "acme-terraform-state"},
    "permissions_boundary": "bootstrap",
    "network": {"kind": "create", "cidr": "10.0.0.0/16", "zones": ["a", "b"], "interfaces": ["monitoring"]},
    "other_buckets": ["acme-wording"],
    "shares_registry_with": ["210987654321"],
    "registry_from": "dev",
    "registry_lock_days": 365,
    "retention": {"superseded_days": 90, "log_days": 365},
}
EXISTING = CREATED | {
    "network": {"kind": "existing", "subnets": ["subnet-01234567"], "security_groups": ["sg-01234567"]}
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=5), below))


def paths(node, above=()):
    yield above
    for key, child in node.items() if isinstance(node, dict) else ():
        yield from paths(child, (*above, key))


def replaced(node, path, value):
    return value if not path else node | {path[0]: replaced(node[path[0]], path[1:], value)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzz") / "infra"
    for folder in ("models", "environments"):
        (root / folder).mkdir(parents=True)
    (root / "environments/local.yaml").touch()
    return root


def loaded(root, text):
    """Load the text as a model file; the problems, or None."""
    (root / "models/flight-delay.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert model_names(root) == ["flight-delay"]
    try:
        load_model("flight-delay", ENVIRONMENT, root)
    except ConfigError as error:
        return error.problems
    return None


@given(
    st.sampled_from([WHOLE, *OF_EACH_KIND]).flatmap(
        lambda file: st.tuples(st.just(file), st.sampled_from(sorted(paths(file))))
    ),
    VALUES | st.sampled_from(["serverless", "batch-transform", "multi-model"]),
)
def test_any_value_anywhere_loads_or_is_told_with_its_line(root, place, value):
    problems = loaded(root, json.dumps(replaced(*place, value), ensure_ascii=False, indent=1))
    for problem in problems or ():
        assert problem.message
        assert problem.line is not None or "UTF-8" in problem.message


@given(
    st.sampled_from([CREATED, EXISTING]).flatmap(
        lambda file: st.tuples(st.just(file), st.sampled_from(sorted(paths(file))))
    ),
    VALUES | st.sampled_from(["none", "existing", "0.0.0.0/0", "10.0.0.0/99", "999.0.0.0/16"]),
)
def test_any_value_anywhere_in_an_environment_loads_or_is_told_with_its_line(root, place, value):
    text = json.dumps(replaced(*place, value), ensure_ascii=False, indent=1)
    (root / "environments/prod.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_environment("prod", root)
    except ConfigError as error:
        for problem in error.problems:
            assert problem.message
            assert problem.line is not None or "UTF-8" in problem.message


@given(st.text() | st.text(alphabet="ab: -[]{}#&*!|>'\"\n\t%@`<?,.0~", max_size=40))
def test_any_text_is_a_mapping_or_is_told_what_it_is_instead(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(ConfigError):
        assert isinstance(read_yaml(path).plain(), dict)
