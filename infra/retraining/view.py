"""Retraining told: what could start a run now, and why the governor did and did not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.retraining.ledger import Item
from monitoring import contract

WORDS = {
    "new-data": "new data",
    "drift": "drift",
    "quality": "quality",
    "schedule": "the schedule",
    "person": "a person",
}


@dataclass(frozen=True)
class Overview:
    """All that is known of one model's retraining.

    Attributes:
        at: The time there.
        hold: Why nothing is started, by whom and since when.
        waiting: New data that is looked at later.
        outlook: What would be decided now, by who asks; None if the governor could not be asked, `unasked` saying why.
        decisions: What was decided about runs, the newest first.
        approvals: What was decided about approvals without a person, the newest first.
    """

    model: str
    env: str
    at: datetime
    hold: Item | None
    waiting: Item | None
    outlook: Sequence[Item] | None
    unasked: str
    decisions: Sequence[Item]
    approvals: Sequence[Item]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        runs = [_named(one, _DECIDED) for one in self.decisions]
        approvals = [_named(one, _APPROVED) for one in self.approvals]
        at = f"{self.at:%Y-%m-%dT%H:%M:%SZ}"
        hold, waiting = (item and {name: item[name] for name in item if name not in _KEYS} for item in self._standing)
        head = {"model": self.model, "environment": self.env, "at": at, "hold": hold, "waiting": waiting}
        return head | {"now": self.outlook, "decisions": runs, "approvals": approvals}

    @property
    def _standing(self) -> tuple[Item | None, Item | None]:
        return self.hold, self.waiting

    def show(self, console: Console) -> None:
        """For people."""
        console.print(Text(f"{self.model} in {self.env}, {_short(self.at)} UTC", style="bold"))
        for line in self._lines():
            console.print(line, soft_wrap=True)
        console.print()
        if not (self.decisions or self.approvals):
            console.print("Nothing was decided yet: nothing has asked for a run.")
            return
        console.print(self._table())

    def _lines(self) -> Iterator[Text]:
        if self.hold is not None:
            hold = self.hold
            yield Text(f"On hold since {hold['since']}, by {hold['by']}: {hold['why']}", style="yellow")
        if self.waiting is not None:
            yield Text(f"Waiting for quiet until {_short(_moment(self.waiting['until']))}: {self.waiting['what']}")
        if self.outlook is None:
            yield Text(f"What would start a run now is not known: {self.unasked}", style="dim")
        for one in self.outlook or ():
            mark, style = ("✓", "green") if one["start"] else ("✗", "red")
            said = "would start a run now" if one["start"] else one["reason"] + self._in(one["until"])
            yield Text.assemble((f"{mark} ", style), f"{WORDS[one['started_by']]:9} {said}")

    def _in(self, until: str) -> str:
        """How long until then: what people count with."""
        if not until:
            return ""
        left = _moment(until) - self.at
        return f" (in {left.days} days)" if left >= timedelta(days=2) else f" (in {_hours(left)} hours)"

    def _table(self) -> Table:
        table = Table(title="Decided, the newest first", title_justify="left")
        for heading in ("at", "asked by", "decided", "reason"):
            table.add_column(heading, no_wrap=heading == "at")
        found = sorted([*self.decisions, *self.approvals], key=lambda one: str(one[contract.LEDGER_AT]), reverse=True)
        for item in found:
            at = _short(_moment(_at(item)))
            table.add_row(at, WORDS[item["started_by"]], _verdict(item), Text(item["reason"]))
        return table


def _verdict(item: Item) -> Text:
    if item[contract.LEDGER_KIND] == contract.LEDGER_DECISION:
        return Text("started", style="green") if item["start"] else Text("not started", style="dim")
    version = f"version {item['version']}"
    if item["approved"]:
        return Text(f"{version} approved", style="green")
    return Text(f"{version} waits for a person", style="dim")


def _at(item: Item) -> str:
    return str(item[contract.LEDGER_AT]).split(" ")[0]


def _named(item: Item, names: Sequence[str]) -> Item:
    return {"at": _at(item), **{name: item.get(name, "") for name in names}}


_DECIDED = ("start", "started_by", "reason", "until", "execution")
_APPROVED = ("approved", "version", "started_by", "reason")
_KEYS = (contract.LEDGER_KIND, contract.LEDGER_AT)


def _short(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _hours(left: timedelta) -> int:
    return max(1, round(left.total_seconds() / 3_600))
