"""The governor's rules: what speaks against a run. Nothing here asks AWS anything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from monitoring.contract import GOVERNOR_SPEC_VARIABLE

SCHEMA_VERSION: Final = 2
IN_FLIGHT: Final = ("Executing", "Stopping")
UNSUCCESSFUL: Final = ("Failed", "Stopped")
LEASE: Final = timedelta(minutes=15)
"""How long a start that was written down counts as a run that SageMaker does not list yet."""
StartedBy = Literal["new-data", "drift", "schedule", "person"]


@dataclass(frozen=True)
class Spec:
    """What the infrastructure tells the governor about one model.

    `watched` are the drift alarms: `{"alarm", "namespace", "metric", "dimensions": {name: value}, "threshold"}`, each
    at or above its threshold in a window that breached; `windows` is the metric that every window publishes, in the
    same form, and null without drift monitoring. `minimum_new_files` is null if new data starts nothing.
    """

    schema_version: int
    model: str
    pipeline: str
    table: str
    data_bucket: str
    data_prefix: str
    cooldown_days: float
    max_runs_a_month: int
    minimum_new_files: int | None
    minimum_new_bytes: int
    on_drift: bool
    breached_windows: int
    of_windows: int
    window_days: int
    windows: dict[str, Any] | None
    watched: list[dict[str, Any]]
    monitor_role: str | None

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Read the environment variable.

        Raises:
            ValueError: it is not a spec of this version.
        """
        document = json.loads(text)
        keys = cls.__dataclass_fields__.keys()
        if document.get("schema_version") != SCHEMA_VERSION or document.keys() != keys:
            raise ValueError(
                f"{GOVERNOR_SPEC_VARIABLE} must have schema_version {SCHEMA_VERSION} and the keys {', '.join(keys)}"
            )
        return cls(**document)


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
    """

    started_by: StartedBy
    what: str
    routine: bool = False


@dataclass(frozen=True)
class Situation:
    """What the rules look at.

    Attributes:
        runs: Every run so far, in any order; a start that SageMaker does not list yet is one that is executing.
        new_files: Labelled files that arrived after the last run was started; all there are if none ever was.
        new_bytes: Their size together.
        windows: Of each of the last windows that drift was looked for in, the oldest first, whether it breached.
        hold: Why nothing is started, and who said so; None if there is no hold.
    """

    runs: Sequence[Run] = ()
    new_files: int = 0
    new_bytes: int = 0
    windows: Sequence[bool] = ()
    hold: str | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a run is started, and why or why not."""

    start: bool
    reason: str
    started_by: StartedBy


def decide(trigger: Trigger, now: datetime, situation: Situation, spec: Spec) -> Decision:
    """Decide about one trigger.

    Args:
        trigger: What happened.
        now: The event's own time, so that an event delivered again is decided as it was the first time.
        situation: What is known at that time.
        spec: The model's rules.

    Returns:
        The first rule that speaks against a run, in this order: a hold, a run in flight, the month's number of runs
        (nobody passes these three), the trigger switched off, the cooldown since the last run's start (a person
        passes; a run that failed or was stopped does not count, so that it blocks nothing for ever), too few windows
        with drift, too little new data. Otherwise a start.
    """
    objection = (
        _held(situation)
        or _in_flight(situation.runs)
        or _used_up(now, situation.runs, spec)
        or _switched_off(trigger, spec)
        or _cooling(trigger, now, situation.runs, spec)
        or _passing(trigger, situation.windows, spec)
        or _too_little(trigger, situation, spec)
    )
    if objection:
        return Decision(start=False, reason=f"{trigger.what}: {objection}", started_by=trigger.started_by)
    return Decision(start=True, reason=trigger.what, started_by=trigger.started_by)


def _held(situation: Situation) -> str | None:
    return None if situation.hold is None else f"on hold: {situation.hold}"


def _in_flight(runs: Sequence[Run]) -> str | None:
    running = next((run for run in runs if run.status in IN_FLIGHT), None)
    return f"a run started at {running.started:%Y-%m-%dT%H:%M:%SZ} is still in flight" if running else None


def _used_up(now: datetime, runs: Sequence[Run], spec: Spec) -> str | None:
    """Failed runs count: they cost as much."""
    number = sum((run.started.year, run.started.month) == (now.year, now.month) for run in runs)
    if number < spec.max_runs_a_month:
        return None
    return f"{number} run(s) in {now:%Y-%m} already, {spec.max_runs_a_month} allowed a month"


def _switched_off(trigger: Trigger, spec: Spec) -> str | None:
    if trigger.started_by == "drift" and not spec.on_drift:
        return "drift starts nothing, by the model's configuration"
    if trigger.started_by == "new-data" and spec.minimum_new_files is None:
        return "new data starts nothing, by the model's configuration"
    return None


def _cooling(trigger: Trigger, now: datetime, runs: Sequence[Run], spec: Spec) -> str | None:
    started = [run.started for run in runs if run.status not in UNSUCCESSFUL]
    if trigger.started_by == "person" or not started:
        return None
    until = max(started) + timedelta(days=spec.cooldown_days)
    return f"the cooldown lasts until {until:%Y-%m-%dT%H:%M:%SZ}" if now < until else None


def _passing(trigger: Trigger, windows: Sequence[bool], spec: Spec) -> str | None:
    if trigger.started_by != "drift":
        return None
    if not windows or not windows[-1]:
        return "the newest window does not breach a threshold"
    last = windows[-spec.of_windows :]
    if sum(last) >= spec.breached_windows:
        return None
    return f"{sum(last)} of the last {spec.of_windows} windows breached a threshold, {spec.breached_windows} needed"


def _too_little(trigger: Trigger, situation: Situation, spec: Spec) -> str | None:
    if trigger.started_by != "new-data" or spec.minimum_new_files is None:
        return None
    since = "since the last run was started"
    if situation.new_files < spec.minimum_new_files:
        return f"{situation.new_files} new file(s) {since}, {spec.minimum_new_files} needed"
    if situation.new_bytes < spec.minimum_new_bytes:
        return f"{situation.new_bytes} new bytes {since}, {spec.minimum_new_bytes} needed"
    return None
