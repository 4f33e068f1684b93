"""The job spec is read strictly, and says what is wrong."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.config import load_environment, load_model
from infra.pipelines.job_spec import drift_spec, monitoring_environment, monitoring_spec
from monitoring.errors import MonitoringError
from monitoring.spec import DriftSpec, Spec
from serving.contract import split_variable
from tests.unit.monitoring.conftest import DRIFT_SPEC, SPEC

ROOT = Path(__file__).resolve().parents[3] / "infra"


def read(kind=Spec, base=SPEC, **change):
    return kind.from_json(json.dumps(base | change))


def test_a_spec_is_read_from_variables_of_256_characters():
    environment = split_variable("SAGESTACK_MONITORING_SPEC", json.dumps(DRIFT_SPEC))
    assert len(environment) > 1
    spec = DriftSpec.from_environment(environment)
    assert spec.numeric == tuple(DRIFT_SPEC["numeric"])
    assert (spec.schedule, spec.psi_threshold, spec.minimum_rows) == ("monthly", 0.25, 500)


def test_what_the_infrastructure_writes_is_what_the_jobs_read():
    environment = load_environment("local", ROOT)
    model = load_model("flight-delay", environment, ROOT)
    written = drift_spec(model, environment.names.model(model.name), 2)
    assert Spec.from_environment(monitoring_environment(monitoring_spec(model))).model == "flight-delay"
    read_back = asdict(DriftSpec.from_environment(monitoring_environment(written)))
    assert json.loads(json.dumps({key: read_back[key] for key in written})) == written
    assert read_back["prediction_psi_threshold"] == model.monitoring.drift.prediction_psi_threshold


def test_a_whole_number_is_a_threshold_too():
    assert read(DriftSpec, DRIFT_SPEC, psi_threshold=1).psi_threshold == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version is 2: must be this image reads version 1"),
        ({"threshhold": 1}, "unknown key threshhold; known: "),
        ({"numeric": "distance"}, 'numeric is "distance": must be a list of strings'),
        ({"label": 3}, "label is 3: must be str"),
        ({"problem": "clustering"}, 'problem is "clustering": must be one of binary-classification, regression'),
        ({"label": "temp"}, "column temp is named more than once"),
    ],
)
def test_a_wrong_spec_names_the_key_and_the_rule(change, message):
    with pytest.raises(MonitoringError) as refusal:
        read(**change)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": "yearly"}, 'schedule is "yearly": must be one of hourly, daily, weekly, monthly'),
        ({"capture_uri": "capture/flight-delay"}, "must be an S3 URI"),
        ({"psi_threshold": 0}, "psi_threshold is 0.0: must be greater than 0"),
        ({"psi_threshold": True}, "psi_threshold is true: must be float"),
        ({"minimum_rows": 0}, "minimum_rows is 0: must be at least 1"),
        ({"baseline_model_version": "2"}, 'baseline_model_version is "2": must be int or null'),
    ],
)
def test_a_wrong_drift_spec_names_the_key_and_the_rule(change, message):
    with pytest.raises(MonitoringError) as refusal:
        read(DriftSpec, DRIFT_SPEC, **change)
    assert message in str(refusal.value)


def test_a_missing_key_is_named():
    with pytest.raises(MonitoringError, match="missing key capture_uri, endpoint"):
        read(DriftSpec, SPEC)


@pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("[]", "holds list, not a JSON object")])
def test_what_is_no_json_object_is_refused(text, message):
    with pytest.raises(MonitoringError, match=message):
        Spec.from_json(text)


def test_a_missing_variable_is_named():
    with pytest.raises(MonitoringError, match="SAGESTACK_MONITORING_SPEC is not set"):
        Spec.from_environment({})
