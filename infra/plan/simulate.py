"""`sagestack simulate`: which runs a model's rules would have started, over windows that were.

The governor's own rules decide. Every run is taken to succeed, and nobody else asks: no person, no data, no schedule.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.config import ModelConfig, chosen_environment, load_environment, load_model, project_root
from infra.errors import UserError
from monitoring.governor.rules import Decision, Run, Situation, Trigger, decide
from monitoring.governor.spec import Series, Spec, Watch

COLUMNS = ("end", "drift")
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
Model = Annotated[str, typer.Argument(help="The model's name, as in infra/models.")]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Drift reports, or CSV files with the columns end and drift.")
]
Environment = Annotated[str | None, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]


@dataclass(frozen=True, order=True)
class Window:
    """One window: when it ended, and whether it breached a threshold."""

    end: datetime
    drifted: bool


def simulate(model: Model, files: Files, env: Environment = None) -> None:
    """Replay windows against a model's rules for retraining, and say which runs they would have started."""
    root = project_root()
    rules = load_model(model, load_environment(env or chosen_environment(), root), root)
    if not rules.retraining.on_drift:
        raise UserError(f"{model} is not retrained for drift: retraining.on_drift is false")
    windows = sorted({window for path in files for window in _read(path)})
    if not windows:
        raise UserError("there is no window in what was given")
    decided = list(replay(rules, windows))
    table = Table(title=f"{model}, by its rules of today", title_justify="left")
    for heading in ("window's end", "drift", "run", "reason"):
        table.add_column(heading, no_wrap=heading != "reason")
    for window, decision in decided:
        table.add_row(f"{window.end:%Y-%m-%d %H:%M}", "yes" if window.drifted else "", *_told(decision))
    Console().print(table)
    started = sum(decision is not None and decision.start for _, decision in decided)
    typer.echo(f"{len(windows)} windows, {sum(one.drifted for one in windows)} with drift: {started} runs")


def replay(model: ModelConfig, windows: Sequence[Window]) -> Iterator[tuple[Window, Decision | None]]:
    """What each window would have led to, the oldest first; None where it had nothing to say."""
    spec, runs = _spec(model), list[Run]()
    for number, window in enumerate(windows, 1):
        if not window.drifted:
            yield window, None
            continue
        seen = [one.drifted for one in windows[:number]]
        decision = decide(Trigger("drift", "drift"), window.end, Situation(runs, windows=seen), spec)
        if decision.start:
            runs.append(Run(window.end, "Succeeded"))
        yield window, decision


def _spec(model: ModelConfig) -> Spec:
    """As much of what a governor is told as decides here."""
    retraining, nowhere = model.retraining, Series("", "", {})
    windows = retraining.drift_windows
    watch = Watch("drift", "", nowhere, window_days=0, breached=windows.breached, of=windows.of, alarms=())
    place: dict[str, Any] = dict.fromkeys(("pipeline", "table", "data_bucket", "data_prefix"), "")
    return Spec(
        schema_version=0,
        model=model.name,
        cooldown_days=retraining.cooldown_days,
        max_runs_a_month=retraining.max_runs_a_month,
        cost_cap=None,
        new_data=None,
        watches=(watch,),
        auto_approval=None,
        **place,
    )


def _read(path: Path) -> Iterator[Window]:
    try:
        if path.suffix == ".json":
            report = json.loads(path.read_text(encoding="utf-8"))
            yield Window(_moment(report["window"]["end"]), report["status"] == "drift")
            return
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield Window(_moment(row["end"]), TRUTH[row["drift"].strip().lower()])
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        wanted = f"a drift report, or CSV with the columns {' and '.join(COLUMNS)} (a time; true or false)"
        raise UserError(f"{path} is not {wanted}: {type(error).__name__}: {error}") from None


def _moment(text: str) -> datetime:
    """A time; in UTC where it does not say."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _told(decision: Decision | None) -> tuple[Text, str]:
    if decision is None:
        return Text(""), ""
    if decision.start:
        return Text("started", style="green"), ""
    return Text("no", style="dim"), decision.reason.removeprefix("drift: ")
