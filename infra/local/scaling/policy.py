"""A scaling policy: what it wants of a target when one of its alarms goes off.

Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalingPolicy.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.scaling import step_scaling, target_tracking
from infra.local.scaling.target import ScalableTarget, identity
from infra.local.scaling.target_tracking import TrackingAlarm
from infra.local.validation import Json

DEFAULT_COOLDOWN_SECONDS = 300
"""Of an endpoint's variant, for step scaling as for target tracking."""
CONFIGURATION = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}


@dataclass(eq=False)
class Policy:
    """One policy of a target."""

    name: str
    arn: str
    target: ScalableTarget
    kind: str
    config: Json
    creation_time: datetime
    alarms: tuple[TrackingAlarm, ...] = field(default=())
    """Those made for it; a step scaling policy's are the user's own."""

    @property
    def tracks(self) -> bool:
        """Whether it is a target tracking policy."""
        return self.kind == "TargetTrackingScaling"

    def cooldown_seconds(self, *, out: bool) -> int:
        """How long it waits after it has scaled."""
        key = "Cooldown" if not self.tracks else "ScaleOutCooldown" if out else "ScaleInCooldown"
        seconds: int = self.config.get(key, DEFAULT_COOLDOWN_SECONDS)
        return seconds

    def wanted(self, current: int, alarm: Json, values: Sequence[float]) -> int:
        """The capacity that it wants, by `alarm` (as described by CloudWatch) and its metric's latest values."""
        if not values:
            return current
        if not self.tracks:
            return step_scaling.capacity(self.config, current, values, alarm["Threshold"])
        capacity = target_tracking.capacity(self.config, current, values[-1])
        is_high = any(mine.is_high for mine in self.alarms if mine.name == alarm["AlarmName"])
        return max(capacity, current) if is_high else min(capacity, current)

    def describe(self, region: str, account: str) -> Json:
        """Its row in DescribeScalingPolicies."""
        return {
            "PolicyARN": self.arn,
            "PolicyName": self.name,
            **identity(self.target.resource_id),
            "PolicyType": self.kind,
            CONFIGURATION[self.kind]: self.config,
            "Alarms": self.alarm_rows(region, account),
            "CreationTime": self.creation_time,
        }

    def alarm_rows(self, region: str, account: str) -> list[Json]:
        """Its alarms by name and ARN."""
        prefix = f"arn:aws:cloudwatch:{region}:{account}:alarm:"
        return [{"AlarmName": alarm.name, "AlarmARN": prefix + alarm.name} for alarm in self.alarms]
