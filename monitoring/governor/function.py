"""The governor's handler: decide about one event, start the pipeline if so decided, and leave the decision behind.

`SAGESTACK_GOVERNOR_SPEC` holds the model's rules (`monitoring.governor.rules.Spec`) as a JSON object. Decisions go to
the model's table, to the event bus and, as a line of JSON, to the log. What another try would not mend (an event of no
known kind, a table that is not there) is told in the log and is no error; what it may mend is one, and Lambda tries
again, in the end leaving the event in the dead-letter queue.
"""

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from monitoring.contract import EVENT_SOURCE, GOVERNOR_SPEC_VARIABLE, RETRAINING_DECIDED, STARTED_BY_PARAMETER
from monitoring.governor.ledger import Ledger, Start
from monitoring.governor.rules import Decision, Situation, Spec, Trigger, decide
from monitoring.governor.sources import new_data, runs, windows, with_start
from monitoring.governor.triggers import UnknownEventError, trigger_of

TRIES: Final = 100
"""A decision is taken again when a run has been started meanwhile; the next one then finds it in flight."""
Event = Mapping[str, Any]


@functools.cache
def client(service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """One client a service for the life of the function's process."""
    return boto3.client(service)


def handler(event: Event, _context: object) -> dict[str, Any]:
    """Decide about one event.

    Raises:
        ValueError: the spec is not one this governor knows.
        ClientError: AWS refused something that it may not refuse the next time.
    """
    spec = Spec.parse(os.environ[GOVERNOR_SPEC_VARIABLE])
    return _told(_answer(event, spec), event, spec)


def _answer(event: Event, spec: Spec) -> dict[str, Any]:
    try:
        event_id, at = _id_and_time(event)
        trigger = trigger_of(event, spec)
    except UnknownEventError as error:
        return _nothing(str(error))
    if trigger is None:
        return _nothing(f"{event['detail-type']}: no reason to retrain {spec.model}")
    try:
        return Request(trigger, event_id, at, spec, Ledger(client("dynamodb"), spec.table)).answer()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        told = error.response["Error"]["Message"]
        return _nothing(f"{trigger.what}: {error.operation_name}: {told}: deploy the stack of {spec.model}")


@dataclass(frozen=True)
class Request:
    """One trigger on its way to a decision; `at` is the event's own time."""

    trigger: Trigger
    event: str
    at: datetime
    spec: Spec
    ledger: Ledger

    def answer(self) -> dict[str, Any]:
        """Decide, act, and leave the decision behind; what was decided already is only told again."""
        known = self.ledger.decision(self.event, self.at)
        if known is not None:
            return known | {"again": True}
        seen = windows(client("cloudwatch"), self.spec, self.at) if self.trigger.started_by == "drift" else []
        if self.trigger.routine and not any(seen[-1:]):
            return _nothing(f"{self.trigger.what}: no reason to retrain {self.spec.model}")
        decision, start = self._settle(seen)
        execution = self._start(start) if start else None
        self.ledger.record(decision, self.event, self.at, execution)
        told = asdict(decision) | {"execution": execution}
        detail = json.dumps({"model": self.spec.model, "event": self.event, **told})
        client("events").put_events(
            Entries=[{"Source": EVENT_SOURCE, "DetailType": RETRAINING_DECIDED, "Detail": detail}]
        )
        return told

    def _settle(self, seen: Sequence[bool]) -> tuple[Decision, Start | None]:
        """The decision and, if it is a start, the start that is written down for it alone.

        A decision holds for the last start that it was taken on; if there is another by now, it is taken again.
        """
        for _ in range(TRIES):
            last = self.ledger.start()
            if last.event == self.event:  # its governor died between the start and the record: carry on
                return Decision(start=True, reason=self.trigger.what, started_by=self.trigger.started_by), last
            decision = decide(self.trigger, self.at, self._situation(last, seen), self.spec)
            if not decision.start and self.ledger.start() == last:
                return decision, None
            if decision.start and (begun := self.ledger.begin(last, self.event, self.at)):
                return decision, begun
        raise RuntimeError(f"{self.spec.model}: {TRIES} other starts were written down while this was decided")

    def _situation(self, last: Start, seen: Sequence[bool]) -> Situation:
        listed = runs(client("sagemaker"), self.spec.pipeline)
        files, size = new_data(client("s3"), self.spec, listed) if self.trigger.started_by == "new-data" else (0, 0)
        return Situation(with_start(listed, last, self.at), files, size, seen, self.ledger.hold())

    def _start(self, start: Start) -> str:
        """Start the pipeline; the event's id makes the token (64 characters; AWS asks for 32 or more)."""
        pipeline = self.spec.pipeline
        answer = client("sagemaker").start_pipeline_execution(
            PipelineName=pipeline,
            PipelineExecutionDescription=self.trigger.what[:3072],
            PipelineParameters=[{"Name": STARTED_BY_PARAMETER, "Value": self.trigger.started_by}],
            ClientRequestToken=hashlib.sha256(f"{pipeline} {self.event}".encode()).hexdigest(),
        )
        execution: str = answer["PipelineExecutionArn"]
        self.ledger.began(start, execution)
        return execution


def _id_and_time(event: Event) -> tuple[str, datetime]:
    try:
        event_id, time = event["id"], datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(f"an event without a usable id and time: {type(error).__name__}: {error}") from None
    if not isinstance(event_id, str) or time.tzinfo is None:
        raise UnknownEventError(f"an event needs a text as id and a time with its zone, not {event_id!r} and {time}")
    return event_id, time.astimezone(UTC)


def _nothing(reason: str) -> dict[str, Any]:
    return {"start": False, "reason": reason}


def _told(answer: dict[str, Any], event: Event, spec: Spec) -> dict[str, Any]:
    event_id, time = (event.get(name) if isinstance(event, Mapping) else None for name in ("id", "time"))
    recorded = {"decision": {"model": spec.model, "event": event_id, "time": time, **answer}}
    print(json.dumps(recorded), flush=True)  # noqa: T201 - standard output is the function's log
    return recorded
