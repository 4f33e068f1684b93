"""From an alarm to the policies that are its actions, for as long as it stays in the ALARM state.

An alarm that changes nothing any more (its target is at a bound) is not looked at again until the endpoint or the
bounds have changed: an idle endpoint costs nothing, however far the clock is advanced.
"""

import json
from datetime import UTC, datetime, timedelta

from infra.local.alarms.messages import EVENT as ALARM_EVENT
from infra.local.cloud import Event, LocalCloud
from infra.local.endpoints.endpoint import EVENT as ENDPOINT_EVENT
from infra.local.scaling.policy import Policy
from infra.local.scaling.registry import Registry
from infra.local.scaling.scaler import Scaler
from infra.local.scaling.target import ScalableTarget
from infra.local.validation import Json

GROWING = ("Sum", "SampleCount")
"""Statistics whose value for the period under way means nothing yet."""


class Reactions:
    """Hears of alarms and endpoints by their events."""

    def __init__(self, cloud: LocalCloud, registry: Registry, scaler: Scaler) -> None:
        self._cloud, self._registry, self._scaler = cloud, registry, scaler
        self._armed: dict[str, datetime] = {}
        cloud.subscribe(self._hear)

    def look(self, target: ScalableTarget) -> None:
        """Bring a target within its bounds, and follow the alarms that ring for it."""

        def work() -> None:
            self._scaler.bring_within_bounds(target)
            for policy in self._registry.policies_of(target):
                for alarm in self._ringing(policy):
                    self._follow(alarm["AlarmName"])

        self._cloud.start(f"scaling of {target.resource_id}", work)

    def _hear(self, event: Event) -> None:
        kind, detail = event["detail-type"], event["detail"]
        if kind == ALARM_EVENT and detail["state"]["value"] == "ALARM" and self._registry.policies:
            name = detail["alarmName"]
            self._cloud.start(f"scaling by alarm {name}", lambda: self._follow(name))
        elif kind == ENDPOINT_EVENT and detail["EndpointStatus"] == "IN_SERVICE":
            for target in self._registry.targets_of(detail["EndpointName"]):
                self.look(target)
        elif kind == ENDPOINT_EVENT and detail["EndpointStatus"] == "DELETING":
            for target in self._registry.targets_of(detail["EndpointName"]):
                self._cloud.start(f"{target.resource_id} is deregistered", lambda t=target: self._registry.remove(t))  # type: ignore[misc]

    def _follow(self, name: str) -> None:
        alarm = self._described(name)
        if alarm is None or alarm["StateValue"] != "ALARM":
            self._armed.pop(name, None)
            return
        moments = [
            self._scaler.follow(policy, alarm, self._values(alarm, policy.target), all_low=self._all_low(policy.target))
            for policy in list(self._registry.policies)
            if policy.arn in alarm["AlarmActions"] and alarm["ActionsEnabled"]
        ]
        if due := [moment for moment in moments if moment]:
            self._arm(name, min(due))

    def _arm(self, name: str, moment: datetime) -> None:
        self._armed[name] = moment

        def ring() -> None:
            if self._armed.get(name) == moment:
                del self._armed[name]
                self._cloud.start(f"scaling by alarm {name}", lambda: self._follow(name))

        self._cloud.clock.at(moment, ring)

    def _all_low(self, target: ScalableTarget) -> bool:
        """Whether every tracking policy that scales in at all would do so now."""
        names = [mine.name for p in self._registry.policies_of(target) for mine in p.alarms if not mine.is_high]
        return all((alarm := self._described(name)) and alarm["StateValue"] == "ALARM" for name in names)

    def _ringing(self, policy: Policy) -> list[Json]:
        found = self._cloud.client("cloudwatch").describe_alarms(ActionPrefix=policy.arn)["MetricAlarms"]
        return [alarm for alarm in found if alarm["StateValue"] == "ALARM"]

    def _described(self, name: str) -> Json | None:
        found = self._cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found[0] if found else None

    def _values(self, alarm: Json, target: ScalableTarget) -> list[float]:
        """The latest values of what an alarm watches, oldest first: of metric math, those that set it off.

        What was measured before the capacity last changed says nothing of the one that there is.
        """
        statistic = alarm.get("Statistic")
        if not statistic:
            recent: list[float] = json.loads(alarm["StateReasonData"]).get("recentDatapoints", [])
            return recent
        period = alarm["Period"]
        now = self._cloud.clock.now().timestamp()
        end = datetime.fromtimestamp(now // period * period, UTC)
        last = target.last_scaled()
        points = self._cloud.client("cloudwatch").get_metric_statistics(
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm.get("Dimensions", []),
            StartTime=end - timedelta(seconds=period * alarm["EvaluationPeriods"]),
            EndTime=end if statistic in GROWING else end + timedelta(seconds=period),
            Period=period,
            Statistics=[statistic],
        )["Datapoints"]
        points = [point for point in points if not (last and last.end_time) or point["Timestamp"] >= last.end_time]
        return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]
