"""Step scaling: how far a metric is beyond its alarm's threshold says how many instances are added or taken away.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise

from infra.local.validation import Json, ValidationException

AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "Average": statistics.fmean,
    "Minimum": min,
    "Maximum": max,
}


def check(config: Json) -> None:
    """Refuse a configuration that AWS would refuse.

    Raises:
        ValidationException: no adjustments or type, or steps that overlap or leave a gap.
    """
    steps = config.get("StepAdjustments")
    if not steps or not config.get("AdjustmentType"):
        raise ValidationException("StepScalingPolicyConfiguration must have an AdjustmentType and StepAdjustments.")
    if "MinAdjustmentMagnitude" in config and config["AdjustmentType"] != "PercentChangeInCapacity":
        raise ValidationException("MinAdjustmentMagnitude is only supported for PercentChangeInCapacity.")
    intervals = sorted(_interval(step) for step in steps)
    for (_, upper), (lower, _) in pairwise(intervals):
        if upper != lower:
            raise ValidationException("StepAdjustment intervals can't overlap or have a gap between them.")


def capacity(config: Json, current: int, values: Sequence[float], threshold: float) -> int:
    """What the policy would have, with `current` instances and the metric's latest `values`, before any bounds."""
    breach = AGGREGATIONS[config.get("MetricAggregationType", "Average")](values) - threshold
    for step in config["StepAdjustments"]:
        lower, upper = _interval(step)
        # The bound next to the threshold belongs to the step, the other does not: on either side of the threshold.
        if (lower <= breach < upper) if breach >= 0 else (lower < breach <= upper):
            return _adjusted(config, current, step["ScalingAdjustment"])
    return current


def _interval(step: Json) -> tuple[float, float]:
    lower = step.get("MetricIntervalLowerBound", -math.inf)
    upper = step.get("MetricIntervalUpperBound", math.inf)
    if lower >= upper:
        raise ValidationException("A StepAdjustment's lower bound must be below its upper bound.")
    return lower, upper


def _adjusted(config: Json, current: int, adjustment: int) -> int:
    match config["AdjustmentType"]:
        case "ExactCapacity":
            return adjustment
        case "ChangeInCapacity":
            return current + adjustment
    change = current * adjustment / 100
    magnitude = max(math.floor(abs(change)) or math.ceil(abs(change)), config.get("MinAdjustmentMagnitude", 0))
    return current + int(math.copysign(magnitude, adjustment))
