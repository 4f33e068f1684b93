import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.scaling import target_tracking
from infra.local.validation import UnsupportedOperation, ValidationException

instances = st.integers(1, 100)
targets = st.floats(0.01, 1000)


@given(instances, targets, st.floats(0, 10_000))
def test_the_capacity_meets_the_target_or_is_one_step_towards_it(current, target, value):
    capacity = target_tracking.capacity({"TargetValue": target}, current, value)
    assert capacity >= current - 1
    if capacity >= current:
        assert value * current / capacity <= target * (1 + 1e-6)
        assert capacity == current or value * current / (capacity - 1) > target * (1 - 1e-6)


@given(instances, targets)
def test_at_its_target_a_metric_changes_nothing(current, target):
    assert target_tracking.capacity({"TargetValue": target}, current, target) == current


def test_metric_math_is_watched_by_the_minute():
    math_of = [
        {
            "Id": "m",
            "MetricStat": {"Metric": {"MetricName": "a", "Namespace": "n"}, "Stat": "Sum"},
            "ReturnData": False,
        },
        {"Id": "e", "Expression": "m / 2"},
    ]
    config = {"TargetValue": 1.0, "CustomizedMetricSpecification": {"Metrics": math_of}}
    target_tracking.check(config)
    high, low = target_tracking.alarms(config, Target(), "arn")
    assert high.definition["Metrics"][0]["MetricStat"]["Period"] == 60
    assert (high.definition["EvaluationPeriods"], low.definition["EvaluationPeriods"]) == (3, 15)
    assert math.isclose(low.definition["Threshold"], 0.9)


class Target:
    resource_id = "endpoint/e/variant/v"


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({}, ValidationException, "Exactly one"),
        ({"CustomizedMetricSpecification": {"MetricName": "a"}}, ValidationException, "must have Metrics, or"),
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}},
            UnsupportedOperation,
            "it knows SageMakerVariantInvocationsPerInstance",
        ),
    ],
)
def test_what_cannot_be_tracked_is_refused(config, error, message):
    with pytest.raises(error, match=message):
        target_tracking.check({"TargetValue": 1.0} | config)
