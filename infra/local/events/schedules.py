"""EventBridge Scheduler made real: schedules fire by the clock and call their targets.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.scheduler.exceptions import ScheduleGroupNotFound, ScheduleNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule, scheduler_backends

from infra.local.cloud import LocalCloud
from infra.local.events import timetable
from infra.local.events.caller import Caller
from infra.local.events.delivery import Delivery
from infra.local.events.targets import Call

# Taken once, so that a second cloud in the same process takes the first one's place.
_CREATE, _UPDATE = EventBridgeSchedulerBackend.create_schedule, EventBridgeSchedulerBackend.update_schedule


def install(cloud: LocalCloud) -> None:
    """Have schedules that are created or updated fire; moto keeps them."""
    schedules = Schedules(cloud)

    def create_and_arm(backend: EventBridgeSchedulerBackend, **given: Any) -> Schedule:  # noqa: ANN401 - the API's own
        _check(given)
        schedule = _CREATE(backend, **given)
        schedules.arm(schedule)
        return schedule

    def update_and_arm(backend: EventBridgeSchedulerBackend, **given: Any) -> Schedule:  # noqa: ANN401 - the API's own
        _check(given)
        schedule = _UPDATE(backend, **given)
        schedule.state = schedule.state or "ENABLED"
        schedules.arm(schedule)
        return schedule

    EventBridgeSchedulerBackend.create_schedule = create_and_arm
    EventBridgeSchedulerBackend.update_schedule = update_and_arm


SCHEDULER = "scheduler.amazonaws.com"


@dataclass
class Schedules:
    """The schedules of this cloud's account and region."""

    cloud: LocalCloud
    _recurring: timetable.Recurring = field(init=False)

    def __post_init__(self) -> None:
        self._recurring = timetable.Recurring(self.cloud.clock)

    def arm(self, schedule: Schedule) -> None:
        """Have `schedule` fire whenever it is due, from now on; a disabled one does not."""
        if schedule.state != "ENABLED":
            self._recurring.disarm(schedule.arn)
            return
        start, end = _moment(schedule.start_date), _moment(schedule.end_date)
        due = timetable.between(_timetable(schedule, self.cloud.clock.now()), start, end)
        self._recurring.arm(schedule.arn, due, lambda moment: self._fire(schedule, moment, due))

    def _fire(self, schedule: Schedule, moment: datetime, due: timetable.Timetable) -> None:
        backend = scheduler_backends[self.cloud.account][self.cloud.region]
        try:
            current = backend.get_schedule(schedule.group_name, schedule.name)
        except (ScheduleNotFound, ScheduleGroupNotFound):
            current = None
        if current is not schedule:
            self._recurring.disarm(schedule.arn)
            return
        self._deliver(schedule, moment)
        if schedule.action_after_completion == "DELETE" and due(moment) is None:
            backend.delete_schedule(schedule.group_name, schedule.name)

    def _deliver(self, schedule: Schedule, moment: datetime) -> None:
        target = dict(schedule.target)
        text = target.get("Input") or json.dumps(self._default_event(schedule, moment))
        attributes = {
            "schedule-arn": schedule.arn,
            "scheduled-time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "execution-id": uuid.uuid4().hex[:16],
        }

        caller = self._caller(schedule)

        def send(attempt: int) -> None:
            self._decrypt(schedule, caller)
            Call(caller, target, _filled(text, attributes | {"attempt-number": str(attempt)})).make()

        what = f"schedule {schedule.name} of {attributes['scheduled-time']} -> {target['Arn']}"
        dead_letter = _filled(text, attributes), {"SCHEDULE_ARN": schedule.arn}
        Delivery(self.cloud, what, send, target, dead_letter, caller).start()

    def _caller(self, schedule: Schedule) -> Caller:
        """Scheduler, as the schedule's role, on behalf of the schedule's group.

        Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        """
        where = f"arn:aws:scheduler:{self.cloud.region}:{self.cloud.account}"
        group = f"{where}:schedule-group/{schedule.group_name}"
        return Caller(self.cloud, SCHEDULER, group, schedule.target["RoleArn"])

    def _decrypt(self, schedule: Schedule, caller: Caller) -> None:
        """Ask whether the schedule's role may read its input.

        Raises:
            AccessDeniedError: it may not, or does not trust Scheduler.
        """
        authority = self.cloud.authority
        if key := authority.keys.named(schedule.kms_key_arn):
            authority.require(caller.session(schedule.target["RoleArn"]), "kms:Decrypt", key)

    def _default_event(self, schedule: Schedule, moment: datetime) -> dict[str, Any]:
        """What a target without an Input receives."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self.cloud.account,
            "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "region": self.cloud.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }


def _filled(text: str, attributes: dict[str, str]) -> str:
    """`text` with Scheduler's context attributes replaced."""
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _timetable(schedule: Schedule, now: datetime) -> timetable.Timetable:
    """A rate counts from the start date; without one it begins at once."""
    anchor = _moment(schedule.start_date) or now + timedelta(seconds=1)
    return timetable.parse(schedule.schedule_expression, anchor, schedule.schedule_expression_timezone)


def _moment(date: Any) -> datetime | None:  # noqa: ANN401 - moto keeps what the request gave
    return None if date is None else datetime.fromtimestamp(float(date), UTC)


def _check(given: dict[str, Any]) -> None:
    zone = given.get("schedule_expression_timezone") or "UTC"
    try:
        timetable.parse(given["schedule_expression"], datetime.now(UTC), zone)
    except ValueError as error:
        message = f"Invalid Schedule Expression {given['schedule_expression']}: {error}."
        raise ValidationException(message=message) from None
