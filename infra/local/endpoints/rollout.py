"""One update of an endpoint: a new fleet takes over step by step, and gives way again if a rollback alarm goes off.

What waits, waits by the cloud's clock; nothing is under way meanwhile.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from infra.local.alarms.messages import EVENT as ALARM_EVENT
from infra.local.cloud import Event, LocalCloud
from infra.local.endpoints.endpoint import Endpoint, Pending
from infra.local.endpoints.fleet import Fleet, FleetError
from infra.local.endpoints.rollout_plan import WHOLE, Plan

logger = logging.getLogger(__name__)


@dataclass
class Rollout:
    """From the moment it is asked for until the endpoint is in service again, with the new fleet or with the old."""

    cloud: LocalCloud
    endpoint: Endpoint
    successor: Fleet
    plan: Plan
    tell: Callable[[], None]
    """Called whenever the endpoint's status has changed."""
    _deadline: datetime = field(init=False)
    _whole: dict[Fleet, dict[str, int]] = field(init=False)
    """Each fleet's instances by variant, when all of it runs."""
    _call_off: Callable[[], bool] = field(init=False, default=lambda: False)
    """Ends the bake under way, if one is."""
    is_over: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Start the new fleet, and go on from there."""
        now = self.cloud.clock.now()
        self._deadline = now + timedelta(seconds=self.plan.limit_seconds)
        self._whole = {fleet: fleet.instances for fleet in (self._old, self.successor)}
        self.endpoint.pending = Pending(self.successor, now)
        self._soon(self._provision)

    def alarmed(self, name: str) -> None:
        """Roll back if `name` is watched and a bake under way."""
        if name in self.plan.alarms and self._call_off():
            self._soon(lambda: self._roll_back(_alarm_reason(name)))

    def _soon(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                logger.exception("endpoint %s", self.endpoint.name)
                if not self.is_over:
                    self._roll_back(f"InternalServerError: {error}")

        self.cloud.start(f"endpoint {self.endpoint.name} is updated", run)

    def _provision(self) -> None:
        try:
            self.successor.start(self._part(self.successor, self.plan.shares[0]))
        except FleetError as error:
            self._roll_back(str(error))
        else:
            self._enter(0)

    def _enter(self, step: int) -> None:
        share = self.plan.shares[step]
        try:
            self._resize(self.successor, share)
        except FleetError as error:
            self._roll_back(str(error))
            return
        self.endpoint.traffic.share_with(self.successor, share)
        if self.plan.bake_seconds:
            self._bake(step)
        else:
            self._baked(step)

    def _bake(self, step: int) -> None:
        end = self.cloud.clock.now() + timedelta(seconds=self.plan.bake_seconds)
        self._pending("Baking")
        if end <= self._deadline:
            self._call_off = self.cloud.clock.expect(end, lambda: self._soon(lambda: self._baked(step)))
        else:
            reason = f"The deployment did not complete within {self.plan.limit_seconds} seconds."
            self._call_off = self.cloud.clock.expect(
                self._deadline, lambda: self._soon(lambda: self._roll_back(reason))
            )
        ringing = self._ringing()  # asked after the wait began: what goes off from now on calls `alarmed`
        if ringing and self._call_off():
            self._roll_back(_alarm_reason(ringing))

    def _ringing(self) -> str | None:
        if not self.plan.alarms:
            return None
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=list(self.plan.alarms), AlarmTypes=kinds)
        alarms = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
        return next((alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"), None)

    def _baked(self, step: int) -> None:
        share = self.plan.shares[step]
        if share < WHOLE:
            self._resize(self._old, WHOLE - share)
            self._enter(step + 1)
            return
        old = self._old
        self.endpoint.traffic.settle_on(self.successor)
        self.endpoint.config_name = self.successor.config["EndpointConfigName"]
        if self.plan.termination_wait_seconds:
            end = self.cloud.clock.now() + timedelta(seconds=self.plan.termination_wait_seconds)
            self.cloud.clock.expect(end, lambda: self._soon(lambda: self._end(old)))
        else:
            self._end(old)

    def _roll_back(self, reason: str) -> None:
        self.endpoint.roll_back(self.cloud.clock.now())
        self.tell()
        status, share = "InService", self.endpoint.traffic.share
        try:
            while share:
                share = max(share - self.plan.rollback_step, Fraction(0))
                self._resize(self._old, WHOLE - share)
                self.endpoint.traffic.share_with(self.successor, share)
                self._resize(self.successor, share)
        except FleetError as error:
            status, reason = "UpdateRollbackFailed", f"{reason} The old fleet could not be restored: {error}"
        self.endpoint.traffic.settle_on(self._old)
        self._end(self.successor, status, reason)

    def _end(self, leaving: Fleet, status: str = "InService", reason: str | None = None) -> None:
        self.is_over = True
        try:
            leaving.retire()
        finally:
            self.endpoint.end(status, self.cloud.clock.now(), reason)
            self.tell()

    @property
    def _old(self) -> Fleet:
        fleet = self.endpoint.fleet
        assert fleet is not None  # noqa: S101 - an endpoint without one is brought up, not updated
        return fleet

    def _part(self, fleet: Fleet, part: Fraction) -> dict[str, int]:
        """Instances by variant of a part of a fleet; a fleet that does not roll is there as a whole or not at all."""
        part = part if self.plan.rolling else WHOLE
        return {name: ceil(part * instances) for name, instances in self._whole[fleet].items()}

    def _resize(self, fleet: Fleet, part: Fraction) -> None:
        if part:
            fleet.scale(self._part(fleet, part))

    def _pending(self, status: str) -> None:
        self.endpoint.pending = Pending(self.successor, self.endpoint.last_modified_time, status)


class Rollouts:
    """The updates under way, each told of the alarms that go off."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._rollouts: list[Rollout] = []
        cloud.subscribe(self._note)

    def begin(self, rollout: Rollout) -> None:
        """Begin one."""
        self._rollouts = [other for other in self._rollouts if not other.is_over] + [rollout]
        rollout.begin()

    def _note(self, event: Event) -> None:
        if event["detail-type"] == ALARM_EVENT and event["detail"]["state"]["value"] == "ALARM":
            for rollout in self._rollouts:
                rollout.alarmed(event["detail"]["alarmName"])


def _alarm_reason(name: str) -> str:
    return f"Auto-rollback: the CloudWatch alarm {name} went into the ALARM state during the baking period."
