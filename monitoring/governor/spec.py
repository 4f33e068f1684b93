"""What the infrastructure tells the governor about one model, in one environment variable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from monitoring.contract import GOVERNOR_SPEC_VARIABLE

SCHEMA_VERSION: Final = 4
Kind = Literal["drift", "quality"]
Comparison = Literal["at least", "above", "below"]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Series:
    """One CloudWatch metric."""

    namespace: str
    metric: str
    dimensions: dict[str, str]


@dataclass(frozen=True)
class WatchedAlarm:
    """An alarm that asks for a run, and when a window's value breaches as the alarm's would."""

    name: str
    series: Series
    comparison: Comparison
    threshold: float


@dataclass(frozen=True)
class Watch:
    """One monitoring job: what it publishes, and the alarms that watch it.

    Attributes:
        kind: On whose behalf its alarms ask.
        job_role: The role that only its jobs have, by which their ends are known.
        windows: The metric that every window publishes.
        window_days: Days in which there is a window at least.
        breached: Windows that must have breached a threshold, the newest among them.
        of: Among how many of the last.
    """

    kind: Kind
    job_role: str
    windows: Series
    window_days: int
    breached: int
    of: int
    alarms: tuple[WatchedAlarm, ...]


@dataclass(frozen=True)
class Debounce:
    """How new data is put off until no more of it comes: a one-time schedule a minute of arrivals.

    Attributes:
        minutes: Without a new file before the governor looks.
        schedules: What the schedules' names begin with.
        function: This governor's ARN; `role` is the scheduler's, which may invoke it and write to `undecided`.
        key: The KMS key of the schedules' input.
    """

    minutes: int
    schedules: str
    function: str
    role: str
    undecided: str
    key: str


@dataclass(frozen=True)
class NewData:
    """What new data must be to start a run; `debounce` is null if every file is looked at as it comes."""

    minimum_files: int
    minimum_bytes: int
    minimum_rows: int
    debounce: Debounce | None


@dataclass(frozen=True)
class CostCap:
    """What a month's runs may cost together, and what an hour of one of their machines costs, in US dollars."""

    max_usd_a_month: float
    usd_an_hour: float


@dataclass(frozen=True)
class AutoApproval:
    """What a registered version must have shown to be approved without a person.

    Attributes:
        metric: By which it is measured; `limit` is the least value, or the greatest if lower is better, or null.
        champion_margin: By how much the live model must be beaten.
        started_by: What may have started the run.
        max_a_month: Most such approvals in a calendar month.
    """

    metric: str
    higher_is_better: bool
    limit: float | None
    champion_margin: float
    started_by: tuple[str, ...]
    max_a_month: int


@dataclass(frozen=True)
class Spec:
    """The model's rules, and where its things are.

    `new_data` is null if new data starts nothing, `cost_cap` if there is none, `auto_approval` if a person approves.
    """

    schema_version: int
    model: str
    pipeline: str
    table: str
    data_bucket: str
    data_prefix: str
    cooldown_days: float
    max_runs_a_month: int
    cost_cap: CostCap | None
    new_data: NewData | None
    watches: tuple[Watch, ...]
    auto_approval: AutoApproval | None

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Read the environment variable.

        Raises:
            ValueError: it is not a spec of this version.
        """
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(f"{GOVERNOR_SPEC_VARIABLE} must have schema_version {SCHEMA_VERSION}")
        new_data, cost_cap, approval = (document.get(name) for name in ("new_data", "cost_cap", "auto_approval"))
        parts = {
            "cost_cap": cost_cap and _part(CostCap, cost_cap),
            "new_data": new_data and _new_data(new_data),
            "watches": tuple(map(_watch, document.get("watches", ()))),
            "auto_approval": approval and _part(AutoApproval, approval),
        }
        return _part(cls, {**document, **{name: part for name, part in parts.items() if name in document}})

    def watch(self, kind: str) -> Watch | None:
        """What is watched on behalf of `kind`; None if nothing is."""
        return next((watch for watch in self.watches if watch.kind == kind), None)


def _new_data(given: Mapping[str, Any]) -> NewData:
    debounce = given.get("debounce")
    return _part(NewData, {**given, "debounce": debounce and _part(Debounce, debounce)})


def _watch(given: Mapping[str, Any]) -> Watch:
    alarms = tuple(_part(WatchedAlarm, {**one, "series": _part(Series, one["series"])}) for one in given["alarms"])
    return _part(Watch, {**given, "windows": _part(Series, given["windows"]), "alarms": alarms})


def _part(kind: type[Part], given: Mapping[str, Any]) -> Part:
    keys = kind.__dataclass_fields__.keys()  # type: ignore[attr-defined] # all of them are dataclasses
    if given.keys() != keys:
        raise ValueError(f"{GOVERNOR_SPEC_VARIABLE}: {kind.__name__} must have the keys {', '.join(keys)}")
    return kind(**given)
