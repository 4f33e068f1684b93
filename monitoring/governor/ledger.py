"""The governor's table: every decision, the one start that may be under way, the hold, and what is put off.

The last start is one item with a number that each start raises. Whoever decided on a start writes it only if the number
is still the one it had read: of any triggers at once, one starts a run, and the others decide again and find it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from monitoring.contract import (
    LEDGER_APPROVAL,
    LEDGER_APPROVED,
    LEDGER_AT,
    LEDGER_DECISION,
    LEDGER_EXPIRES,
    LEDGER_HOLD,
    LEDGER_KIND,
    LEDGER_ONLY,
    LEDGER_START,
    LEDGER_WAITING,
)
from monitoring.governor.rules import Decision

KEPT: Final = timedelta(days=400)
"""How long a decision is kept: what happened a year ago can still be looked at."""


@dataclass(frozen=True)
class Start:
    """The last run that was decided on.

    Attributes:
        number: How many there were; 0 if none.
        event: The id of the event that led to it.
        at: That event's time.
        execution: The pipeline execution, once it is known to have started.
    """

    number: int = 0
    event: str = ""
    at: str = ""
    execution: str = ""


class Ledger:
    """One model's table, by DynamoDB's client (`boto3.client("dynamodb")`)."""

    def __init__(self, dynamodb: Any, table: str) -> None:  # noqa: ANN401 - boto3's clients are made at run time
        self._dynamodb, self._table = dynamodb, table

    def hold(self) -> str | None:
        """Why nothing is started, and who said so; None without a hold."""
        item = self._get(LEDGER_HOLD, LEDGER_ONLY)
        return f"{item['why']} ({item['by']}, {item['since']})" if item else None

    def start(self) -> Start:
        """The last start."""
        item = self._get(LEDGER_START, LEDGER_ONLY)
        return Start(int(item["number"]), item["event"], item["since"], item["execution"]) if item else Start()

    def begin(self, before: Start, event: str, at: datetime) -> Start | None:
        """Write a start down, before it is made; None if another trigger did since `before` was read."""
        begun = Start(before.number + 1, event, at.isoformat())
        condition = "attribute_not_exists(#number) OR #number = :before"
        return begun if self._put_if(_start(begun), condition, _number(before)) else None

    def began(self, start: Start, execution: str) -> None:
        """Write down which execution a start has become, unless there is a later start."""
        became = Start(start.number, start.event, start.at, execution)
        self._put_if(_start(became), "#number = :before", _number(start))

    def decision(self, event: str, at: datetime) -> dict[str, Any] | None:
        """What was decided about an event that is delivered again; None if it is to be decided, or tried again."""
        item = self._get(LEDGER_DECISION, _key(event, at))
        return (
            None
            if item is None or not item.get("final", True)
            else {name: item[name] for name in _DECIDED if name in item}
        )

    def record(
        self, decision: Decision, event: str, at: datetime, execution: str | None, *, final: bool = True
    ) -> None:
        """Keep a decision; one that is not final is taken again when its event comes again."""
        expires = {LEDGER_EXPIRES: {"N": str(int((at + KEPT).timestamp()))}}
        values = asdict(decision) | {"until": moment(decision.until), "execution": execution or "", "final": final}
        self._put(_item(LEDGER_DECISION, _key(event, at), values) | expires)

    def wait(self, until: datetime | None, what: str) -> None:
        """Keep until when new data is put off, for people to see; None once it has been looked at."""
        self._put(_item(LEDGER_WAITING, LEDGER_ONLY, {"until": moment(until), "what": what}))

    def approved(self, month: datetime) -> tuple[str, ...]:
        """The versions that were approved without a person in a calendar month."""
        item = self._get(LEDGER_APPROVED, f"{month:%Y-%m}")
        return tuple(item["versions"].split()) if item else ()

    def approve(self, month: datetime, before: Sequence[str], version: str) -> bool:
        """Write an approval down, before it is made; False if another was since `before` was read."""
        values = {"versions": " ".join([*before, version])}
        expected = {"ExpressionAttributeValues": {":before": {"S": " ".join(before)}}} if before else {}
        condition = "versions = :before" if before else "attribute_not_exists(versions)"
        return self._put_if(_item(LEDGER_APPROVED, f"{month:%Y-%m}", values), condition, expected)

    def approval(self, event: str, at: datetime, told: Mapping[str, str | bool]) -> None:
        """Keep a decision about an approval."""
        expires = {LEDGER_EXPIRES: {"N": str(int((at + KEPT).timestamp()))}}
        self._put(_item(LEDGER_APPROVAL, _key(event, at), told) | expires)

    def _put_if(self, item: Mapping[str, Any], condition: str, given: Mapping[str, Any]) -> bool:
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression=condition, **given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _put(self, item: Mapping[str, Any]) -> None:
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def _get(self, kind: str, at: str) -> dict[str, Any] | None:
        key = {LEDGER_KIND: {"S": kind}, LEDGER_AT: {"S": at}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else {name: next(iter(value.values())) for name, value in item.items()}


_DECIDED: Final = ("start", "reason", "started_by", "until", "execution")


def moment(at: datetime | None) -> str:
    """A moment as it stands in the table; empty if there is none."""
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _key(event: str, at: datetime) -> str:
    """Decisions sort by their time; two at the same moment are told apart by their events."""
    return f"{moment(at)} {event}"


def _start(start: Start) -> dict[str, Any]:
    values = {"event": start.event, "since": start.at, "execution": start.execution}
    return _item(LEDGER_START, LEDGER_ONLY, values) | {"number": {"N": str(start.number)}}


def _item(kind: str, at: str, values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {name: {"BOOL": value} if isinstance(value, bool) else {"S": value} for name, value in values.items()}
    return {LEDGER_KIND: {"S": kind}, LEDGER_AT: {"S": at}, **typed}


def _number(start: Start) -> dict[str, Any]:
    return {
        "ExpressionAttributeNames": {"#number": "number"},
        "ExpressionAttributeValues": {":before": {"N": str(start.number)}},
    }
