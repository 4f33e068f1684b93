"""The governor's handler: decide about one event, start the pipeline or approve a version if so decided, and record it.

`SAGESTACK_GOVERNOR_SPEC` holds the model's rules (`monitoring.governor.spec.Spec`) as a JSON object. Decisions go to
the model's table, to the event bus and, as a line of JSON, to the log. What another try would not mend (an event of no
known kind, a table that is not there) is told in the log and is no error; what it may mend is one, and Lambda tries
again, in the end leaving the event in the dead-letter queue.
"""

import functools
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from monitoring.contract import GOVERNOR_SPEC_VARIABLE, RETRAINING_OUTLOOK
from monitoring.governor.approval import Approval
from monitoring.governor.outlook import outlook
from monitoring.governor.request import Request, nothing
from monitoring.governor.spec import Spec
from monitoring.governor.triggers import UnknownEventError, package_of, trigger_of

Event = Mapping[str, Any]


@functools.cache
def client(service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
    """One client a service for the life of the function's process."""
    return boto3.client(service)


def handler(event: Event, _context: object) -> dict[str, Any]:
    """Decide about one event, or tell what would be decided.

    Raises:
        ValueError: the spec is not one this governor knows.
        ClientError: AWS refused something that it may not refuse the next time.
    """
    spec = Spec.parse(os.environ[GOVERNOR_SPEC_VARIABLE])
    if isinstance(event, Mapping) and event.get("detail-type") == RETRAINING_OUTLOOK:
        return {"outlook": outlook(spec, _id_and_time(event)[1], client)}
    return _told(_answer(event, spec), event, spec)


def _answer(event: Event, spec: Spec) -> dict[str, Any]:
    try:
        asked = _asked(event, spec)
    except UnknownEventError as error:
        return nothing(str(error))
    if asked is None:
        return nothing(f"{event['detail-type']}: no reason to retrain {spec.model}")
    try:
        return asked.answer()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        told = error.response["Error"]["Message"]
        return nothing(f"{event['detail-type']}: {error.operation_name}: {told}: deploy the stack of {spec.model}")


def _asked(event: Event, spec: Spec) -> Request | Approval | None:
    """What the event asks for: a run, or to approve what a run has registered; None if neither."""
    event_id, at = _id_and_time(event)
    if (package := package_of(event)) is not None:
        return Approval(package, event_id, at, spec, client)
    trigger = trigger_of(event, spec)
    return None if trigger is None else Request(trigger, event_id, at, spec, client)


def _id_and_time(event: Event) -> tuple[str, datetime]:
    try:
        event_id, time = event["id"], datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(f"an event without a usable id and time: {type(error).__name__}: {error}") from None
    if not isinstance(event_id, str) or time.tzinfo is None:
        raise UnknownEventError(f"an event needs a text as id and a time with its zone, not {event_id!r} and {time}")
    return event_id, time.astimezone(UTC)


def _told(answer: dict[str, Any], event: Event, spec: Spec) -> dict[str, Any]:
    event_id, time = (event.get(name) if isinstance(event, Mapping) else None for name in ("id", "time"))
    recorded = {"decision": {"model": spec.model, "event": event_id, "time": time, **answer}}
    print(json.dumps(recorded), flush=True)  # noqa: T201 - standard output is the function's log
    return recorded
