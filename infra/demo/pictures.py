"""The report's pictures as SVG: quality by month, drift by feature and month, what happened when."""

import math
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from infra.demo.record import Event, Record

INK, QUIET, GOOD, BAD = "#1f2933", "#9aa5b1", "#0b7285", "#c92a2a"
KINDS = ("data", "training", "approval", "deploy", "alarm", "decision")
COLOURS = {"data": QUIET, "training": "#5f3dc4", "approval": "#e67700", "deploy": GOOD, "alarm": BAD, "decision": INK}
PSI_STEPS = (0, 0.1, 0.25, 0.5, 1, 2, 5)
"""0.1 and 0.25 are the customary limits of "moved a little" and "moved"."""
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "sagestack",
}


def quality(record: Record) -> str:
    """AUC of the served answers by month, beside what the first model would have answered."""

    def draw(axes: Axes) -> None:
        months = sorted(record.auc_with)
        with_, without = ([series[month] for month in months] for series in (record.auc_with, record.auc_without))
        axes.fill_between(
            months,
            without,
            with_,
            where=[a >= b for a, b in zip(with_, without, strict=True)],
            color=GOOD,
            alpha=0.12,
            interpolate=True,
        )
        axes.plot(months, without, color=QUIET, marker="o", label="first model, never retrained")
        axes.plot(months, with_, color=GOOD, marker="o", linewidth=2, label="as served, with retraining")
        for month, value, other in zip(months, with_, without, strict=True):
            below = value < other  # on the side where the other line is not
            axes.annotate(
                f"{value:.3f}",
                (month, value),
                textcoords="offset points",
                xytext=(0, -14 if below else 7),
                ha="center",
                fontsize=8,
                color=GOOD,
            )
        _went_live(axes, record, months)
        axes.set_ylabel("AUC (higher is better)")
        axes.margins(y=0.2)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)

    return _svg(draw, height=3.4)


def _went_live(axes: Axes, record: Record, months: list[str]) -> None:
    """Where each version took over from the one before."""
    deploys = [event for event in record.events if event.kind == "deploy"]
    for deploy, event in zip(record.deploys, deploys, strict=True):
        if (month := f"{event.at:%Y-%m}") in months:
            x = months.index(month) - 0.5
            axes.axvline(x, color=QUIET, linestyle=":", linewidth=1)
            axes.annotate(f" version {deploy['version']}", (x, 0.02), xycoords=("data", "axes fraction"), fontsize=8)


def drift(record: Record) -> str:
    """Population stability index of every feature and of the prediction, by window that had rows enough for one."""
    compared = [report for report in record.drift if not math.isnan(_psi(report, None))]
    if not compared:
        return "No window had rows enough to be compared."

    def draw(axes: Axes) -> None:
        windows = [report["window"]["start"][:7] for report in compared]
        names = _features(record)
        rows = [[_psi(report, name) for report in compared] for name in [*names, None]]
        norm = BoundaryNorm(PSI_STEPS, 256, extend="max")
        image = axes.imshow(rows, aspect="auto", cmap="YlOrRd", norm=norm)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                said, colour = "-" if math.isnan(value) else f"{value:.2f}", "white" if value >= 1 else INK
                axes.text(x, y, said, ha="center", va="center", fontsize=7.5, color=colour)
        axes.set_xticks(range(len(windows)), windows)
        axes.set_yticks(range(len(rows)), [*names, "prediction"])
        axes.tick_params(length=0)
        axes.figure.colorbar(image, ax=axes, pad=0.01, label="population stability index")

    return _svg(draw, height=0.6 + 0.3 * (1 + len(_features(record))))


def timeline(events: list[Event]) -> str:
    """Data, decisions, training runs, approvals, deploys and alarms, each on its own line."""

    def draw(axes: Axes) -> None:
        for row, kind in enumerate(KINDS):
            moments = [event.at for event in events if event.kind == kind]
            axes.scatter(moments, [row] * len(moments), color=COLOURS[kind], s=46, zorder=3)  # type: ignore[arg-type]
        axes.set_yticks(range(len(KINDS)), KINDS)
        axes.invert_yaxis()
        axes.grid(axis="y", color="#e4e7eb")
        axes.xaxis.set_major_locator(mdates.MonthLocator())  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(mdates.DateFormatter("%b"))  # type: ignore[no-untyped-call]
        axes.set_xlim(_around([event.at for event in events]))  # type: ignore[arg-type]

    return _svg(draw, height=2.6)


def _features(record: Record) -> list[str]:
    """The features' names; a window with too few rows has none."""
    return max(([feature["name"] for feature in report["features"]] for report in record.drift), key=len)


def _psi(report: dict[str, Any], name: str | None) -> float:
    """A feature's index, or the prediction's; NaN where the window had too few rows for one."""
    known = {feature["name"]: feature["value"] for feature in report["features"]}
    known[None] = (report["prediction"] or {}).get("value")
    return float("nan") if known.get(name) is None else float(known[name])


def _around(moments: list[datetime]) -> tuple[datetime, datetime]:
    margin = (max(moments) - min(moments)) / 30
    return min(moments) - margin, max(moments) + margin


def _svg(draw: Callable[[Axes], None], *, height: float) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.5, height), layout="constrained")
        draw(figure.subplots())
        buffer = StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
