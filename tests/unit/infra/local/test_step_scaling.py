import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.scaling import step_scaling
from infra.local.validation import ValidationException


def config(*steps, kind="ChangeInCapacity", **more):
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    given_steps = [{name: v for name, v in zip(names, step, strict=True) if v is not None} for step in steps]
    return {"AdjustmentType": kind, "StepAdjustments": given_steps} | more


AWS_EXAMPLE = config(
    (None, -20, -30), (-20, -10, -10), (-10, 10, 0), (10, 20, 10), (20, None, 30), kind="PercentChangeInCapacity"
)
"""Threshold 50, ten instances: the table in AWS's documentation of step adjustments."""


@pytest.mark.parametrize(("value", "capacity"), [(60, 11), (69, 11), (70, 13), (55, 10), (40, 9), (30, 7), (45, 10)])
def test_awss_own_example_gives_awss_own_capacities(value, capacity):
    assert step_scaling.capacity(AWS_EXAMPLE, 10, [value], 50) == capacity


@pytest.mark.parametrize(
    ("percent", "current", "capacity"), [(12.7 / 4 * 100, 4, 16), (17, 4, 5), (-17, 4, 3), (-158, 4, -2), (25, 0, 0)]
)
def test_percentages_are_rounded_towards_the_present_but_never_to_nothing(percent, current, capacity):
    assert (
        step_scaling.capacity(config((0, None, percent), kind="PercentChangeInCapacity"), current, [1], 0) == capacity
    )


def test_a_percentage_moves_by_its_least_magnitude_at_least():
    steps = config((0, None, 10), kind="PercentChangeInCapacity", MinAdjustmentMagnitude=2)
    assert step_scaling.capacity(steps, 4, [1], 0) == 6


def test_an_exact_capacity_is_that_capacity():
    assert step_scaling.capacity(config((0, None, 7), kind="ExactCapacity"), 2, [1], 0) == 7


@pytest.mark.parametrize(("aggregation", "capacity"), [("Average", 1), ("Minimum", 1), ("Maximum", 2)])
def test_the_metrics_values_are_aggregated_as_asked(aggregation, capacity):
    steps = config((0, 5, 0), (5, None, 1), MetricAggregationType=aggregation)
    assert step_scaling.capacity(steps, 1, [1, 2, 6], 0) == capacity


@given(st.floats(-100, 100), st.integers(1, 50))
def test_what_no_step_covers_changes_nothing(breach, current):
    assert step_scaling.capacity(config((200, None, 5)), current, [breach], 0) == current


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"AdjustmentType": "ChangeInCapacity"}, "must have an AdjustmentType and StepAdjustments"),
        (config((0, 10, 1), (20, None, 2)), "overlap or have a gap"),
        (config((0, 10, 1), (5, None, 2)), "overlap or have a gap"),
        (config((10, 0, 1)), "lower bound must be below"),
        (config((0, None, 1), MinAdjustmentMagnitude=1), "only supported for PercentChangeInCapacity"),
    ],
)
def test_steps_that_contradict_themselves_are_refused(broken, message):
    with pytest.raises(ValidationException, match=message):
        step_scaling.check(broken)
