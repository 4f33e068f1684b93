"""CloudWatch alarms made real: published metrics move them, and what they are for happens.

An alarm is evaluated when data arrives, and at the next moment at which time alone can change its state; an idle alarm
costs nothing, however far the clock is advanced.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends

from infra.local.alarms import exact_dimensions
from infra.local.alarms.actions import Actions, Change
from infra.local.alarms.composite_rule import AlarmRule
from infra.local.alarms.history import AlarmHistory
from infra.local.alarms.messages import EVENT, Snapshot
from infra.local.alarms.metric_data import MetricData
from infra.local.alarms.metric_store import MetricStore
from infra.local.alarms.query import Query, Values, query_of, threshold_of
from infra.local.alarms.reason import reason, reason_data
from infra.local.alarms.state import Threshold, Verdict, evaluate
from infra.local.cloud import LocalCloud

COMPARISON_EVERY_SECONDS = 60
"""AWS compares every minute; so late at most is the first comparison of a new alarm, or after SetAlarmState."""
OLDEST_DATA, NEWEST_DATA = timedelta(days=14), timedelta(hours=2)

# Taken once, so that a second cloud in the same process takes the first one's place.
_PUT_DATA, _PUT_ALARM = CloudWatchBackend.put_metric_data, CloudWatchBackend.put_metric_alarm
_GET_DATA = CloudWatchBackend.get_metric_data


def install(cloud: LocalCloud) -> None:
    """Have metric data, alarms and their states go through `Alarms`; moto keeps them."""
    alarms = Alarms(cloud)

    def put_metric_data(backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        _check_times(metric_data, cloud.clock.now())
        with alarms.lock:
            known = len(backend.metric_data)
            _PUT_DATA(backend, namespace, metric_data)
            alarms.published(backend.metric_data[known:])

    def put_metric_alarm(backend: CloudWatchBackend, name: str, **given: Any) -> Alarm:  # noqa: ANN401 - the API's own
        with alarms.lock:
            before = backend.alarms.get(name)
            alarm = _PUT_ALARM(backend, name, **given)
            try:
                alarms.defined(alarm, before)
            except ValueError as error:
                backend.alarms.pop(name)
                if before:
                    backend.alarms[name] = before
                raise InvalidParameterValue(str(error)) from None
        return alarm

    def get_metric_data(  # noqa: PLR0917 - moto's own
        backend: CloudWatchBackend,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        if not any("Expression" in query for query in queries):
            return list(_GET_DATA(backend, queries, start_time, end_time, scan_by))
        asked = MetricData(alarms.store, queries, start_time, end_time)
        try:
            with alarms.lock:
                return list(asked.results(newest_first=scan_by == "TimestampDescending"))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    CloudWatchBackend.put_metric_data, CloudWatchBackend.put_metric_alarm = put_metric_data, put_metric_alarm
    CloudWatchBackend.get_metric_data = get_metric_data
    Alarm.update_state = lambda alarm, reason, reason_data, value: alarms.move(alarm, value, reason, reason_data)
    alarms.history.install()
    exact_dimensions.install()


@dataclass(frozen=True)
class Watch:
    """A metric alarm, read once."""

    alarm: Any
    query: Query
    threshold: Threshold


class Alarms:
    """The alarms of this cloud's account and region."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.lock = threading.RLock()
        self.history = AlarmHistory(cloud.clock)
        self._cloud = cloud
        self._actions = Actions(cloud, self.history)
        self.store = MetricStore()
        self._watches: dict[str, Watch] = {}
        self._rules: dict[str, AlarmRule] = {}
        self._armed: dict[str, datetime] = {}

    @property
    def _alarms(self) -> Mapping[str, Any]:
        alarms: Mapping[str, Any] = cloudwatch_backends[self._cloud.account][self._cloud.region].alarms
        return alarms

    def published(self, data: list[Any]) -> None:
        """Evaluate the alarms that watch what was published."""
        touched = {self.store.add(datum) for datum in data}
        for watch in list(self._watches.values()):
            if self._alarms.get(watch.alarm.name) is watch.alarm and not touched.isdisjoint(watch.query.series):
                self._compare(watch, self._cloud.clock.now())

    def defined(self, alarm: Any, before: Any) -> None:  # noqa: ANN401 - moto's Alarms
        """Take up an alarm that was put; one that existed keeps its state.

        Raises:
            ValueError: it is one that the local cloud cannot evaluate.
        """
        self._armed.pop(alarm.name, None)
        if alarm.rule is None:
            query = query_of(alarm)
            self._watches[alarm.name] = Watch(alarm, query, threshold_of(alarm, query))
        else:
            self._rules[alarm.name] = self._checked(AlarmRule.parse(alarm.rule))
        kept = before or alarm
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        for attribute in ("state_reason", "state_reason_data", "state_updated_timestamp"):
            setattr(alarm, attribute, getattr(kept, attribute))
        summary = f'Alarm "{alarm.name}" {"updated" if before else "created"}'
        self.history.add(alarm, "ConfigurationUpdate", summary, {"version": "1.0"})
        if alarm.rule is None:
            self._compare_soon(self._watches[alarm.name])
        else:
            self._combine(alarm, f"{alarm.alarm_arn} was put")

    def move(self, alarm: Any, value: str, reason: str, reason_data: str | None) -> None:  # noqa: ANN401 - moto's Alarm
        """Put an alarm into a state; if that is a new one, say so to whom it concerns."""
        with self.lock:
            before = Snapshot.of(alarm)
            alarm.state_value, alarm.state_reason, alarm.state_reason_data = value, reason, reason_data or "{}"
            alarm.state_updated_timestamp = self._cloud.clock.now().replace(tzinfo=None)
            watch = self._watches[alarm.name] if alarm.rule is None else None
            if value != before.value:
                alarm.state_transitioned_timestamp = alarm.state_updated_timestamp
                self._changed(Change(alarm, watch.query if watch else None, Snapshot.of(alarm), before))
            if watch:
                self._compare_soon(watch)

    def _changed(self, change: Change) -> None:
        alarm = change.alarm
        self.history.changed(alarm, change.now, change.before)
        self._cloud.emit("aws.cloudwatch", EVENT, change.detail, [alarm.alarm_arn])
        self._actions.start(change)
        said = f"{alarm.alarm_arn} transitioned to {change.now.value} at {change.now.updated:%A %d %B, %Y %H:%M:%S} UTC"
        for name, rule in list(self._rules.items()):
            composite = self._alarms.get(name)
            if composite is not None and composite.rule is not None and alarm.name in rule.names:
                self._combine(composite, said)

    def _combine(self, composite: Any, said: str) -> None:  # noqa: ANN401 - moto's Alarm
        states = {name: alarm.state_value for name, alarm in self._alarms.items()}
        value = "ALARM" if self._rules[composite.name].holds(states) else "OK"
        if value != composite.state_value:
            self.move(composite, value, said, None)

    def _checked(self, rule: AlarmRule) -> AlarmRule:
        if unknown := rule.names - self._alarms.keys():
            raise ValueError(f"AlarmRule speaks of alarms that do not exist: {', '.join(sorted(unknown))}")
        return rule

    def _compare(self, watch: Watch, now: datetime) -> None:
        """Evaluate an alarm as of `now`, move it if its state changes, and arm the next comparison."""
        values = self._values(watch, now)
        verdict = self._verdict(watch, now, values)
        if verdict.state == watch.alarm.state_value:
            self._arm(watch, values, self._ends(watch, now))
            return
        text = reason(watch.threshold, verdict, watch.query.period_seconds)
        data = reason_data(watch.query, watch.threshold, verdict, now)
        self.move(watch.alarm, verdict.state, text, data)

    def _compare_soon(self, watch: Watch) -> None:
        """Have an alarm compared within a minute, as AWS does, or whenever its state changes next."""
        now = self._cloud.clock.now()
        soon = now + timedelta(seconds=min(watch.query.period_seconds, COMPARISON_EVERY_SECONDS))
        self._arm(watch, self._values(watch, now), [soon, *self._ends(watch, now)])

    def _arm(self, watch: Watch, values: Values, moments: list[datetime]) -> None:
        """Have the alarm compared at the first of `moments` at which, with the data there is now, its state changes."""
        name, state = watch.alarm.name, watch.alarm.state_value
        change = next((moment for moment in moments if self._verdict(watch, moment, values).state != state), None)
        if change is None:
            self._armed.pop(name, None)
        elif self._armed.get(name) != change:
            self._armed[name] = change
            self._cloud.clock.at(change, lambda: self._ring(watch, change))

    def _ring(self, watch: Watch, moment: datetime) -> None:
        name = watch.alarm.name
        with self.lock:
            if self._alarms.get(name) is watch.alarm and self._armed.get(name) == moment:
                del self._armed[name]
                self._compare(watch, self._cloud.clock.now())

    def _ends(self, watch: Watch, now: datetime) -> list[datetime]:
        """Each end of a period to come until all data are too old: when else could the state change?"""
        period, last = watch.query.period_seconds, self._last_period(watch, now) + watch.threshold.evaluation_range + 1
        return [datetime.fromtimestamp(n * period, UTC) for n in range(int(now.timestamp() // period) + 1, last + 1)]

    def _values(self, watch: Watch, now: datetime) -> Values:
        """The values that this and the coming comparisons can need."""
        length = watch.threshold.evaluation_range
        first = int(now.timestamp() // watch.query.period_seconds) - length
        return watch.query.values(self.store, range(first, self._last_period(watch, now) + length + 2))

    def _last_period(self, watch: Watch, now: datetime) -> int:
        """The period under way, or a later one that has data already."""
        newest = [self.store.latest(series) or 0.0 for series in watch.query.series]
        return int(max(now.timestamp(), *newest) // watch.query.period_seconds)

    def _verdict(self, watch: Watch, moment: datetime, values: Values) -> Verdict:
        """The state at `moment`. The period that is under way counts once it has data, unless it can only grow."""
        end = int(moment.timestamp() // watch.query.period_seconds)
        if end not in values.reported or (watch.query.grows and watch.threshold.comparison.startswith("Less")):
            end -= 1
        return evaluate(watch.threshold, values.by_period, end, watch.alarm.state_value)


def _check_times(metric_data: list[dict[str, Any]], now: datetime) -> None:
    for number, datum in enumerate(metric_data, 1):
        time = datum.get("Timestamp")
        if time is None:
            continue
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        if not now - OLDEST_DATA <= aware <= now + NEWEST_DATA:
            raise ValidationError(
                f"The parameter MetricData.member.{number}.Timestamp must specify a time within the past two weeks and "
                f"no more than two hours in the future; it is {aware:%Y-%m-%dT%H:%M:%SZ}, now {now:%Y-%m-%dT%H:%M:%SZ}."
            )
