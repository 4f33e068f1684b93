import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from infra.config import load_environment, load_model
from infra.config.show import as_yaml, show_model

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def shown(files, environment="prod"):
    return show_model("churn", load_environment(environment), files.root)


def sources(files):
    return {line.text.strip().split(":")[0]: line.source for line in shown(files)}


def test_each_value_says_whether_it_is_a_default_or_where_it_stands(files):
    files.model("churn", "endpoint:\n  scaling: {max: 3}\nenvironments:\n  prod:\n    endpoint: {scaling: {min: 3}}\n")
    found = sources(files)
    assert found["requests_per_second"] == "default"
    assert found["max"] == "infra/models/churn.yaml:7"
    assert found["min"] == "prod overlay, infra/models/churn.yaml:10"


def test_what_is_shown_is_the_same_model_again(files):
    extra = 'description: "no"\ntraining: {hyperparameters: {objective: binary, note: "yes: 1", seed: 7}}\n'
    files.model("churn", extra + "environments: {prod: {monitoring: {drift: {schedule: hourly}}}}\n")
    environment = load_environment("prod")
    before = load_model("churn", environment)
    files.write("infra/models/churn.yaml", "\n".join(line.text for line in shown(files)))
    assert load_model("churn", environment) == before
    assert load_model("churn", load_environment("local")) == before


def test_what_is_shown_of_a_model_without_drift_is_the_same_again(files):
    extra = (
        "endpoint: {capture: {percent: 0}}\nmonitoring: {drift: null}\nretraining: {on_drift: false, new_data: {}}\n"
    )
    files.model("churn", extra)
    before = load_model("churn", load_environment("prod"))
    files.write("infra/models/churn.yaml", "\n".join(line.text for line in shown(files)))
    assert load_model("churn", load_environment("prod")) == before


@pytest.mark.parametrize(
    "word", ["no", "Yes", "on", "OFF", "y", "true", "null", "", "0", "1e3", "12:30", "2013-01-01", "~"]
)
def test_a_word_that_some_yaml_reads_otherwise_is_quoted(word):
    assert as_yaml(word) == f'"{word}"'


@given(st.lists(VALUES, max_size=3) | VALUES)
def test_any_value_is_shown_as_yaml_that_reads_as_that_value(value):
    for version in ("1.1", "1.2"):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version
        assert yaml.load(f"key: {as_yaml(value)}\n")["key"] == value
