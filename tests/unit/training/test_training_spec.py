"""The job spec is read as it was written, and a doubtful one is refused with its reason."""

import json
from typing import Any

import pytest

from serving.contract import split_variable
from tests.unit.training.conftest import DOCUMENT
from training.contract import SPEC_VARIABLE
from training.errors import JobError
from training.spec import GateSpec, TrainingSpec


def test_a_spec_longer_than_one_variable_is_read_whole() -> None:
    variables = split_variable(SPEC_VARIABLE, json.dumps(DOCUMENT))
    assert len(variables) > 1
    assert TrainingSpec.read(variables) == TrainingSpec.parse(DOCUMENT)


def test_what_is_not_said_has_the_documented_default() -> None:
    needed = ("schema_version", "model", "problem", "label", "time", "numeric", "gate")
    spec = TrainingSpec.parse({key: DOCUMENT[key] for key in needed})
    assert (spec.validation_days, spec.test_days, spec.threshold, spec.categorical) == (7, 7, 0.5, ())


def test_features_are_numeric_then_categorical() -> None:
    spec = TrainingSpec.parse(DOCUMENT | {"numeric": ["b", "a"], "categorical": ["d", "c"]})
    assert spec.features == ("b", "a", "d", "c")


def test_the_gate_may_have_no_bound() -> None:
    assert TrainingSpec.parse(DOCUMENT | {"gate": {"metric": "auc"}}).gate == GateSpec("auc", None, None, 0.0)


@pytest.mark.parametrize("text", [None, "", "{"])
def test_an_absent_spec_and_one_that_is_no_json_are_named(text: str | None) -> None:
    with pytest.raises(JobError, match=SPEC_VARIABLE):
        TrainingSpec.read({} if text is None else {SPEC_VARIABLE: text})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": 2}, "schema_version is 2: this image reads 1"),
        ({"catgorical": []}, "unknown key catgorical: did you mean categorical"),
        ({"gate": {"metric": "auc", "minimun": 0.6}}, "unknown key gate.minimun: did you mean gate.minimum"),
        ({"gate": 1}, "gate must be a JSON object"),
        ({"gate": {}}, "incomplete.*metric"),
        ({"gate": {"metric": "rmse"}}, "gate.metric is 'rmse': a binary-classification has auc, log_loss, accuracy"),
        ({"gate": {"metric": "log_loss", "minimum": 0.6}}, "gate.minimum is set, but log_loss is better when lower"),
        ({"gate": {"metric": "auc", "maximum": 0.6}}, "gate.maximum is set, but auc is better when higher"),
        ({"gate": {"metric": "auc", "minimum": "0.6"}}, "gate.minimum is '0.6': it must be a number"),
        ({"problem": "ranking"}, "problem is 'ranking': it must be one of binary-classification, regression"),
        ({"numeric": [], "categorical": []}, "a model needs a feature"),
        ({"numeric": "distance"}, "numeric must be a list of column names"),
        ({"numeric": ["late"]}, "the column late is named twice"),
        ({"test_days": 0}, "test_days is 0: it must be a whole number of days"),
        ({"validation_days": 1.5}, "validation_days is 1.5"),
        ({"threshold": 2}, "threshold is 2: it must be a number from 0 to 1"),
        ({"hyperparameters": []}, "hyperparameters must be a JSON object"),
    ],
)
def test_a_spec_that_breaks_a_rule_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(JobError, match=reason):
        TrainingSpec.parse(DOCUMENT | changes)


def test_a_spec_without_a_label_is_refused() -> None:
    with pytest.raises(JobError, match=r"incomplete.*label"):
        TrainingSpec.parse({key: value for key, value in DOCUMENT.items() if key != "label"})
