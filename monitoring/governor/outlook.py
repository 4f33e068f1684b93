"""What would be decided now, by who might ask: for people who wonder when the next run may start."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from monitoring.governor.ledger import moment
from monitoring.governor.request import Request
from monitoring.governor.rules import StartedBy, Trigger
from monitoring.governor.spec import Spec


def outlook(spec: Spec, at: datetime, client: Callable[[str], Any]) -> list[dict[str, Any]]:
    """For each who may ask: would a run start, if not why, and until when; nothing is started or written."""
    answers = []
    for started_by in _asking(spec):
        decision = Request(Trigger(started_by, started_by), "", at, spec, client).look()
        reason = "" if decision.start else decision.reason.removeprefix(f"{started_by}: ")
        told = {"started_by": started_by, "start": decision.start, "reason": reason}
        answers.append(told | {"until": moment(decision.until)})
    return answers


def _asking(spec: Spec) -> Iterator[StartedBy]:
    yield "person"
    yield from (watch.kind for watch in spec.watches)
    if spec.new_data is not None:
        yield "new-data"
