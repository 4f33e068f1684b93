"""Target tracking: the alarms that auto scaling makes for a policy, and the capacity that would meet its target.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from infra.local.scaling.target import ScalableTarget
from infra.local.validation import Json, UnsupportedOperation, ValidationException

PREDEFINED = {
    "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", "Sum", 60),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", "Average", 10),
}
"""Metric, statistic and period, by type."""
SCALE_IN_BELOW = 0.9
"""Of the target, so that capacity does not go up and down around it."""
HIGH_PERIODS, LOW_SECONDS = 3, 900


@dataclass(frozen=True)
class TrackingAlarm:
    """One of a policy's two alarms, as PutMetricAlarm takes it."""

    definition: Json
    is_high: bool

    @property
    def name(self) -> str:
        """The alarm's name."""
        return str(self.definition["AlarmName"])


def check(config: Json) -> None:
    """Refuse a configuration that AWS would refuse, or the local cloud cannot follow.

    Raises:
        ValidationException: it has no metric, or two.
        UnsupportedOperation: its predefined metric is not one of an endpoint's variant here.
    """
    predefined, customized = (config.get(f"{kind}MetricSpecification") for kind in ("Predefined", "Customized"))
    if (predefined is None) == (customized is None):
        raise ValidationException(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given."
        )
    if predefined and predefined["PredefinedMetricType"] not in PREDEFINED:
        raise UnsupportedOperation(
            f"PredefinedMetricType {predefined['PredefinedMetricType']}; it knows {', '.join(PREDEFINED)}"
        )
    if customized and not customized.get("Metrics") and not {"MetricName", "Namespace", "Statistic"} <= set(customized):
        raise ValidationException(
            "CustomizedMetricSpecification must have Metrics, or MetricName, Namespace and Statistic."
        )


def alarms(config: Json, target: ScalableTarget, policy_arn: str) -> Iterator[TrackingAlarm]:
    """The alarms of a policy: three periods above the target, a quarter of an hour well below it."""
    metric, period = _metric(config, target)
    for side in ("High", "Low"):
        is_high = side == "High"
        if config.get("DisableScaleIn") and not is_high:
            continue
        definition = {
            "AlarmName": f"TargetTracking-{target.resource_id}-Alarm{side}-{uuid.uuid4()}",
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}.",
            "AlarmActions": [policy_arn],
            "ComparisonOperator": "GreaterThanThreshold" if is_high else "LessThanThreshold",
            "Threshold": config["TargetValue"] * (1 if is_high else SCALE_IN_BELOW),
            "EvaluationPeriods": HIGH_PERIODS if is_high else LOW_SECONDS // period,
            **metric,
        }
        yield TrackingAlarm(definition, is_high)


def capacity(config: Json, current: int, value: float) -> int:
    """What would meet the target, with `current` instances and the metric at `value`, before any bounds.

    Out at once, in by one instance: AWS scales in gradually, and does not say how.
    """
    wanted: int = math.ceil(round(current * value / config["TargetValue"], 9))
    return max(wanted, current - 1)


def _metric(config: Json, target: ScalableTarget) -> tuple[Json, int]:
    if predefined := config.get("PredefinedMetricSpecification"):
        name, statistic, period = PREDEFINED[predefined["PredefinedMetricType"]]
        dimensions = {"EndpointName": target.endpoint, "VariantName": target.variant}
        metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Statistic": statistic, "Period": period}
        return metric | {"Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}, period
    customized = config["CustomizedMetricSpecification"]
    if queries := customized.get("Metrics"):
        return {"Metrics": [_with_period(query) for query in queries]}, 60
    return {**customized, "Period": 60}, 60


def _with_period(query: Json) -> Json:
    if "MetricStat" not in query:
        return query
    return query | {"MetricStat": query["MetricStat"] | {"Period": 60}}
