"""Two bars a name, then and now: a group's share of answers of 1, an input's contribution."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.page.pictures.svg import BASELINE_COLOUR, INK, PAGE_WIDTH, QUIET, WINDOW_COLOUR, bar, short, svg, text

ROW, NAME, SAID = 28, 176, 330


@dataclass(frozen=True)
class Pair:
    """A name's value in the training data and in the window, None where there is none, and words beside it."""

    name: str
    then: float | None
    now: float | None
    said: str
    faint: bool = False


def pairs(rows: Sequence[Pair], title: str) -> str:
    """One below the other, to a common scale."""
    highest = max((value for row in rows for value in (row.then, row.now) if value is not None), default=0.0) or 1.0
    unit = (PAGE_WIDTH - NAME - SAID) / highest
    parts = [part for place, row in enumerate(rows) for part in _row(row, ROW * place, unit)]
    return svg(PAGE_WIDTH, ROW * len(rows) + 4, parts, title)


def _row(row: Pair, top: float, unit: float) -> list[str]:
    values = ((row.then, BASELINE_COLOUR, "in training", 4), (row.now, WINDOW_COLOUR, "now", 13))
    faint = ' opacity="0.4"' if row.faint else ""
    bars = [
        bar(NAME, top + down, max(value * unit, 1.5), 8, colour, hint=f"{row.name}: {value:.4g} {when}", more=faint)
        for value, colour, when, down in values
        if value is not None
    ]
    end = NAME + max([value * unit for value, *_ in values if value is not None] or [0])
    colour = QUIET if row.faint else INK
    return [
        text(NAME - 10, top + 16, short(row.name), anchor="end", colour=colour),
        *bars,
        text(end + 8, top + 16, row.said, colour=QUIET),
    ]
