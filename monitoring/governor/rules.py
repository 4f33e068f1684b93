"""The governor's rules: what speaks against a run. Nothing here asks AWS anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from monitoring.governor.spec import Spec

IN_FLIGHT: Final = ("Executing", "Stopping")
UNSUCCESSFUL: Final = ("Failed", "Stopped")
StartedBy = Literal["new-data", "drift", "quality", "schedule", "person"]
WATCHED: Final = ("drift", "quality")
"""On whose behalf windows are looked at."""


@dataclass(frozen=True)
class Run:
    """One pipeline execution: when it was started, and what became of it, in SageMaker's word."""

    started: datetime
    status: str
    execution: str = ""


@dataclass(frozen=True)
class Trigger:
    """Why retraining is thought of: on whose behalf, and what happened, in words.

    One that is `routine` comes with every window, and only has something to say if that window breached a threshold.
    One that is `settled` was put off until no more data came.
    """

    started_by: StartedBy
    what: str
    routine: bool = False
    settled: bool = False


@dataclass(frozen=True)
class Costs:
    """What this month's runs have cost, and what another is expected to; None if none has ended yet. US dollars."""

    spent: float = 0
    expected: float | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of new files together; `silent` are those that tell no number: no Parquet, or encrypted."""

    counted: int = 0
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """What the rules look at.

    Attributes:
        runs: Every run so far, in any order; a start that SageMaker does not list yet is one that is executing.
        new_files: Labelled files that arrived after the last run was started; all there are if none ever was.
        new_bytes: Their size together.
        new_rows: Their rows together, or as many as are asked for; looked at where rows are.
        windows: Of each of the last windows that were looked at, the oldest first, whether it breached.
        hold: Why nothing is started, and who said so; None if there is no hold.
        costs: What the month's runs have cost; looked at where there is a cap.
    """

    runs: Sequence[Run] = ()
    new_files: int = 0
    new_bytes: int = 0
    new_rows: Rows = Rows()
    windows: Sequence[bool] = ()
    hold: str | None = None
    costs: Costs = Costs()


@dataclass(frozen=True)
class Objection:
    """What speaks against a run; `until` when, if that is known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a run is started, and why or why not; if not, the moment from which on that reason is gone, if known."""

    start: bool
    reason: str
    started_by: StartedBy
    until: datetime | None = None


def decide(trigger: Trigger, now: datetime, situation: Situation, spec: Spec) -> Decision:
    """Decide about one trigger.

    Args:
        trigger: What happened.
        now: The event's own time, so that an event delivered again is decided as it was the first time.
        situation: What is known at that time.
        spec: The model's rules.

    Returns:
        The first rule that speaks against a run, in this order: a hold, a run in flight, the month's number of runs
        and their costs (nobody passes these four), the trigger switched off, the cooldown since the last run's start
        (a person passes; a run that failed or was stopped does not count, so that it blocks nothing for ever), too few
        windows that breached, too little new data. Otherwise a start.
    """
    objection = (
        _held(situation)
        or _in_flight(situation.runs)
        or _used_up(now, situation.runs, spec)
        or _too_dear(now, situation, spec)
        or _switched_off(trigger, spec)
        or _cooling(trigger, now, situation.runs, spec)
        or _passing(trigger, situation.windows, spec)
        or _too_little(trigger, situation, spec)
    )
    if objection is None:
        return Decision(start=True, reason=trigger.what, started_by=trigger.started_by)
    reason = f"{trigger.what}: {objection.reason}"
    return Decision(start=False, reason=reason, started_by=trigger.started_by, until=objection.until)


def _held(situation: Situation) -> Objection | None:
    return None if situation.hold is None else Objection(f"on hold: {situation.hold}")


def _in_flight(runs: Sequence[Run]) -> Objection | None:
    running = next((run for run in runs if run.status in IN_FLIGHT), None)
    if running is None:
        return None
    return Objection(f"a run started at {running.started:%Y-%m-%dT%H:%M:%SZ} is still in flight")


def _used_up(now: datetime, runs: Sequence[Run], spec: Spec) -> Objection | None:
    """Failed runs count: they cost as much."""
    month = month_of(now, runs)
    number = sum(in_month(run, month) for run in runs)
    if number < spec.max_runs_a_month:
        return None
    return Objection(f"{number} run(s) in {month:%Y-%m} already, {spec.max_runs_a_month} allowed a month", _next(month))


def _too_dear(now: datetime, situation: Situation, spec: Spec) -> Objection | None:
    """A first run is never too dear: nobody knows what it will cost."""
    cap, costs = spec.cost_cap, situation.costs
    expected = costs.expected or 0
    if cap is None or costs.spent + expected <= cap.max_usd_a_month:
        return None
    month = month_of(now, situation.runs)
    spent = f"runs in {month:%Y-%m} have cost about ${costs.spent:.2f}, another is expected to cost ${expected:.2f}"
    until = _next(month) if expected <= cap.max_usd_a_month else None
    return Objection(f"{spent}, and ${cap.max_usd_a_month:.2f} are allowed a month", until)


def _switched_off(trigger: Trigger, spec: Spec) -> Objection | None:
    if trigger.started_by in WATCHED and spec.watch(trigger.started_by) is None:
        return Objection(f"{trigger.started_by} starts nothing, by the model's configuration")
    if trigger.started_by == "new-data" and spec.new_data is None:
        return Objection("new data starts nothing, by the model's configuration")
    return None


def _cooling(trigger: Trigger, now: datetime, runs: Sequence[Run], spec: Spec) -> Objection | None:
    started = [run.started for run in runs if run.status not in UNSUCCESSFUL]
    if trigger.started_by == "person" or not started:
        return None
    until = max(started) + timedelta(days=spec.cooldown_days)
    return Objection(f"the cooldown lasts until {until:%Y-%m-%dT%H:%M:%SZ}", until) if now < until else None


def _passing(trigger: Trigger, windows: Sequence[bool], spec: Spec) -> Objection | None:
    watch = spec.watch(trigger.started_by)
    if watch is None:
        return None
    if not windows or not windows[-1]:
        return Objection("the newest window does not breach a threshold")
    last = windows[-watch.of :]
    if sum(last) >= watch.breached:
        return None
    return Objection(f"{sum(last)} of the last {watch.of} windows breached a threshold, {watch.breached} needed")


def _too_little(trigger: Trigger, situation: Situation, spec: Spec) -> Objection | None:
    rules = spec.new_data
    if trigger.started_by != "new-data" or rules is None:
        return None
    since = "since the last run was started"
    if situation.new_files < rules.minimum_files:
        return Objection(f"{situation.new_files} new file(s) {since}, {rules.minimum_files} needed")
    if situation.new_bytes < rules.minimum_bytes:
        return Objection(f"{situation.new_bytes} new bytes {since}, {rules.minimum_bytes} needed")
    if situation.new_rows.counted < rules.minimum_rows:
        silent = _silent(situation.new_rows.silent)
        return Objection(f"{situation.new_rows.counted} new row(s) {since}, {rules.minimum_rows} needed{silent}")
    return None


def _silent(files: Sequence[str]) -> str:
    if not files:
        return ""
    return f"; {len(files)} file(s) tell no number of rows, {files[0]} among them: is it Parquet, and not encrypted?"


def month_of(now: datetime, runs: Sequence[Run]) -> datetime:
    """A moment of the month that a run started now counts for: an event of the last one may come late."""
    return max([now, *(run.started for run in runs)])


def in_month(run: Run, month: datetime) -> bool:
    """Whether a run was started in the calendar month of a moment."""
    return (run.started.year, run.started.month) == (month.year, month.month)


def _next(now: datetime) -> datetime:
    """When the next calendar month begins."""
    return (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=31)).replace(day=1)
