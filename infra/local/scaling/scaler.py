"""Changing a target's capacity: by a policy, within bounds, with cooldowns; and noting why, or why not.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/what-is-application-auto-scaling.html
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from infra.local.cloud import LocalCloud
from infra.local.scaling.activity import Activity
from infra.local.scaling.policy import Policy
from infra.local.scaling.target import ScalableTarget
from infra.local.validation import Json

POLL_SECONDS = 0.02
LOOK_AGAIN = timedelta(minutes=1)
"""As often as AWS follows an alarm that stays in the ALARM state."""


class Scaler:
    """Scales by SageMaker's own API."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def capacity(self, target: ScalableTarget) -> int | None:
        """The instances that a target is to have; None if it does not exist."""
        variants = (self._described(target) or {}).get("ProductionVariants", [])
        return next((row.get("DesiredInstanceCount") for row in variants if row["VariantName"] == target.variant), None)

    def bring_within_bounds(self, target: ScalableTarget) -> None:
        """Scale a target whose capacity its bounds do not allow."""
        with target.scaling:
            current = self.capacity(target)
            if current is None or (desired := target.within(current)) == current:
                return
            side = "minimum" if desired > current else "maximum"
            self._set(target, current, desired, f"{side} capacity was set to {desired}")

    def follow(self, policy: Policy, alarm: Json, values: Sequence[float], *, all_low: bool) -> datetime | None:
        """Do what a policy wants, as of an alarm in the ALARM state.

        Args:
            policy: One that is an action of the alarm.
            alarm: As CloudWatch describes it.
            values: Its metric's latest ones since the capacity last changed, oldest first.
            all_low: Whether every tracking policy of the target would scale in.

        Returns:
            When to look again, should the alarm still be in that state; None: when the endpoint or its bounds change.
        """
        target, now = policy.target, self._cloud.clock.now()
        with target.scaling:
            current = self.capacity(target)
            if current is None:
                return None
            wanted = policy.wanted(current, alarm, values)
            out = wanted > current
            if wanted == current or _suspended(target, out=out) or (policy.tracks and not out and not all_low):
                return now + LOOK_AGAIN
            if cooling := self._cooling(policy, out=out):
                last, end = cooling
                wanted = policy.wanted(last.before, alarm, values)
                if not out or wanted <= current:
                    return end
            cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {policy.name}"
            if (desired := target.within(wanted)) == current:
                self._not_scaled(target, current, cause, out=out)
                return None
            self._set(target, current, desired, cause)
            return self._cloud.clock.now() + LOOK_AGAIN

    def _cooling(self, policy: Policy, *, out: bool) -> tuple[Activity, datetime] | None:
        """The activity whose cooldown holds the next one in its direction back, and when that ends.

        Out, a larger one than that activity, from where it began, is let through. In, any activity holds it back: what
        has just been started is not stopped by an alarm that has not seen it yet.
        """
        last = policy.target.last_scaled()
        if last is None or last.end_time is None or (out and last.after < last.before):
            return None
        end = last.end_time + timedelta(seconds=policy.cooldown_seconds(out=out))
        return (last, end) if self._cloud.clock.now() < end else None

    def _set(self, target: ScalableTarget, current: int, desired: int, cause: str) -> None:
        now = self._cloud.clock.now()
        activity = Activity(f"Setting desired instance count to {desired}.", cause, now, current, desired)
        target.activities.appendleft(activity)
        wish = {"VariantName": target.variant, "DesiredInstanceCount": desired}
        try:
            self._cloud.client("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=target.endpoint, DesiredWeightsAndCapacities=[wish]
            )
            reached = self._settled(target)
        except ClientError as error:
            self._failed(activity, desired, error.response["Error"]["Message"])
            return
        if reached == desired:
            message = (
                f"Successfully set desired instance count to {desired}. Change successfully fulfilled by sagemaker."
            )
            activity.end("Successful", message, self._cloud.clock.now())
        else:
            self._failed(activity, desired, f"the variant has {reached} instances")

    def _failed(self, activity: Activity, desired: int, why: str) -> None:
        message = f"Failed to set desired instance count to {desired}. Reason: {why}"
        activity.end("Failed", message, self._cloud.clock.now())

    def _settled(self, target: ScalableTarget) -> int | None:
        while (described := self._described(target)) and described["EndpointStatus"] == "Updating":
            time.sleep(POLL_SECONDS)
        return self.capacity(target)

    def _not_scaled(self, target: ScalableTarget, current: int, cause: str, *, out: bool) -> None:
        bound, value = ("Max", target.most) if out else ("Min", target.least)
        reason = {"Code": f"AlreadyAt{bound}Capacity", f"{bound}Capacity": value, "CurrentCapacity": current}
        now = self._cloud.clock.now()
        activity = Activity("Attempting to scale due to alarm triggered", cause, now, current, current)
        activity.not_scaled_reason = reason
        activity.end("Unfulfilled", "", now)
        target.activities.appendleft(activity)

    def _described(self, target: ScalableTarget) -> Json | None:
        try:
            described: Json = self._cloud.client("sagemaker").describe_endpoint(EndpointName=target.endpoint)
        except ClientError:
            return None
        return described


def _suspended(target: ScalableTarget, *, out: bool) -> bool:
    return target.suspended[f"DynamicScaling{'Out' if out else 'In'}Suspended"]
