"""EventBridge made real: events reach the targets of the rules they match; scheduled rules fire by the clock."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventsBackend, Rule, events_backends

from infra.local.cloud import Event, LocalCloud
from infra.local.events import s3_events, timetable
from infra.local.events.caller import Caller
from infra.local.events.delivery import Delivery
from infra.local.events.patterns import InvalidPatternError, check, matches
from infra.local.events.target_input import target_input
from infra.local.events.targets import Call

# Taken once, so that a second cloud in the same process takes the first one's place.
_PUT_RULE, _ENABLE_RULE = EventsBackend.put_rule, EventsBackend.enable_rule

EVENTS = "events.amazonaws.com"
ENABLED = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


def install(cloud: LocalCloud) -> None:
    """Have events of AWS services, of PutEvents and of S3 reach the deployed rules, and scheduled rules the clock."""
    rules = Rules(cloud)
    cloud.subscribe(rules.route)
    Rule.send_to_targets = lambda rule, event, transform_input=True: rules.offer(rule, _as_delivered(event))  # noqa: ARG005

    def put_and_arm(backend: EventsBackend, name: str, **more: Any) -> Rule:  # noqa: ANN401 - PutRule's own parameters
        _check_pattern(more.get("event_pattern"))
        _check_expression(more.get("scheduled_expression"))
        rule = _PUT_RULE(backend, name, **more)
        rules.arm(rule)
        return rule

    def enable_and_arm(backend: EventsBackend, name: str, event_bus_arn: str | None) -> bool:
        enabled: bool = _ENABLE_RULE(backend, name, event_bus_arn)
        if enabled:
            rules.arm(backend.describe_rule(name, event_bus_arn))
        return enabled

    EventsBackend.put_rule, EventsBackend.enable_rule = put_and_arm, enable_and_arm
    s3_events.install(cloud)


@dataclass
class Rules:
    """The deployed rules of this cloud's account and region; moto keeps them."""

    cloud: LocalCloud
    _recurring: timetable.Recurring = field(init=False)

    def __post_init__(self) -> None:
        self._recurring = timetable.Recurring(self.cloud.clock)

    def route(self, event: Event) -> None:
        """Offer an AWS service's event to every rule on the default bus."""
        bus = events_backends[self.cloud.account][self.cloud.region].event_buses["default"]
        for rule in list(bus.rules.values()):
            self.offer(rule, event)

    def offer(self, rule: Rule, event: Event) -> None:
        """Deliver `event` to the targets of `rule` if it matches."""
        pattern = rule.event_pattern.get_pattern()
        if rule.state in ENABLED and pattern and matches(pattern, event):
            self._deliver(rule, event)

    def arm(self, rule: Rule) -> None:
        """Have a scheduled rule fire when it is due; one that was put anew or disabled no longer does."""
        if rule.state not in ENABLED or not rule.scheduled_expression:
            self._recurring.disarm(rule.arn)
            return
        due = timetable.parse(rule.scheduled_expression, anchor=self.cloud.clock.now())
        self._recurring.arm(rule.arn, due, lambda moment: self._fire(rule, moment))

    def _fire(self, rule: Rule, moment: datetime) -> None:
        bus = events_backends[self.cloud.account][self.cloud.region].event_buses["default"]
        if bus.rules.get(rule.name) is not rule or rule.state not in ENABLED:
            self._recurring.disarm(rule.arn)
            return
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self.cloud.account,
            "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "region": self.cloud.region,
            "resources": [rule.arn],
            "detail": {},
        }
        self._deliver(rule, event)

    def _deliver(self, rule: Rule, event: Event) -> None:
        for target in list(rule.targets):

            def send(_attempt: int, target: dict[str, Any] = target) -> None:
                caller = Caller(self.cloud, EVENTS, rule.arn, target.get("RoleArn"))
                Call(caller, target, target_input(target, event, rule.arn), event).make()

            what = f"rule {rule.name} -> {target['Arn']}"
            dead_letter = (json.dumps(event), {"RULE_ARN": rule.arn})
            Delivery(self.cloud, what, send, target, dead_letter, Caller(self.cloud, EVENTS, rule.arn)).start()


def _as_delivered(event: dict[str, Any]) -> Event:
    """An event of PutEvents as moto makes it, whose time is a number."""
    time = event["time"]
    if not isinstance(time, str):
        moment = time if isinstance(time, datetime) else datetime.fromtimestamp(float(time), UTC)
        time = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": time}


def _check_pattern(pattern: str | None) -> None:
    try:
        if pattern:
            check(json.loads(pattern))
    except InvalidPatternError as error:
        raise InvalidEventPatternException(reason=str(error)) from None
    except ValueError:
        raise InvalidEventPatternException(reason="Invalid JSON") from None


def _check_expression(expression: str | None) -> None:
    try:
        if expression:
            timetable.parse(expression, anchor=datetime.now(UTC))
    except ValueError as error:
        raise ValidationException(f"Parameter ScheduleExpression is not valid. Reason: {error}.") from None
