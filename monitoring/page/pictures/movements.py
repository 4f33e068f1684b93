"""What moved, by how much, since when: a row a column, with its distance now and in the windows before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitoring.page.pictures.svg import (
    BASELINE_COLOUR,
    DRIFT_COLOUR,
    LINE,
    PAGE_WIDTH,
    QUIET,
    WINDOW_COLOUR,
    bar,
    line,
    short,
    svg,
    text,
)

ROW, HEAD, FOOT = 26, 34, 20
NAME, BAR, SAID, CELL = 176, 270, 150, 20
FURTHEST: Final = 6.0
"""Bars end at so many thresholds: beyond, how far is in the words."""
STEPS: Final = ((4.0, "#a61e1e"), (2.0, "#e03131"), (1.0, "#ff8787"), (0.5, "#ffe3c2"), (0.0, "#eef1f4"))
"""From so many thresholds on, a window's cell has this colour; from 1 on it is drift."""


@dataclass(frozen=True)
class Cell:
    """One window of one column: what it is called, and the statistic in thresholds; None where nothing was compared."""

    window: str
    ratio: float | None
    other_baseline: bool = False


@dataclass(frozen=True)
class Movement:
    """One column's row.

    Attributes:
        name: The column.
        ratio: The statistic in thresholds.
        said: The statistic, in words.
        before: The windows before this one, the oldest first.
        since: Since when it drifts, in words; empty where it does not.
    """

    name: str
    ratio: float
    said: str
    before: Sequence[Cell]
    since: str

    @property
    def drifted(self) -> bool:
        """Whether it reaches its threshold."""
        return self.ratio >= 1


def movements(rows: Sequence[Movement], windows: Sequence[str]) -> str:
    """The picture.

    Args:
        rows: The columns, furthest first.
        windows: What the windows before are called, the oldest first.
    """
    unit = BAR / max(1.25, min(FURTHEST, max(row.ratio for row in rows)))
    strip = NAME + BAR + SAID
    height = HEAD + ROW * len(rows) + FOOT
    at = NAME + unit
    threshold = [
        line((at, HEAD - 6), (at, height - FOOT + 4), DRIFT_COLOUR, dashes="4 3"),
        text(at, height - 4, "threshold", anchor="middle", colour=DRIFT_COLOUR, size=11),
    ]
    parts = [part for place, row in enumerate(rows) for part in _row(row, HEAD + ROW * place, unit, strip)]
    return svg(PAGE_WIDTH, height, [*_heads(windows, strip), *parts, *threshold], "what moved, by how much, since when")


def _heads(windows: Sequence[str], strip: float) -> list[str]:
    heads = [text(NAME, 14, "how far now, in thresholds", colour=QUIET, size=11)]
    if windows:
        heads.append(text(strip, 14, f"window by window, from {windows[0]}", colour=QUIET, size=11))
    return heads


def _row(row: Movement, top: float, unit: float, strip: float) -> list[str]:
    middle, colour = top + 16, DRIFT_COLOUR if row.drifted else WINDOW_COLOUR
    width = max(min(row.ratio, FURTHEST) * unit, 1.5)
    parts = [
        line((0, top + ROW - 1), (PAGE_WIDTH, top + ROW - 1), LINE),
        text(NAME - 10, middle, short(row.name), anchor="end", bold=row.drifted),
        bar(NAME, top + 5, width, ROW - 11, colour, hint=f"{row.name}: {row.said}"),
        text(NAME + BAR + 10, middle, row.said, colour=QUIET),
    ]
    cells = [_cell(row.name, cell, strip + CELL * place, top) for place, cell in enumerate(row.before)]
    now = strip + CELL * len(row.before) + (4 if row.before else 0)
    parts += [*cells, _cell(row.name, Cell("this window", row.ratio), now, top)]
    if row.since:
        parts.append(text(now + CELL + 8, middle, row.since, colour=DRIFT_COLOUR, bold=True))
    return parts


def _cell(name: str, cell: Cell, left: float, top: float) -> str:
    if cell.ratio is None:
        hint, colour, more = "not enough data", "none", f' stroke="{BASELINE_COLOUR}" stroke-dasharray="2 2"'
    else:
        hint, colour, more = f"{cell.ratio:.2f} of its threshold", _colour(cell.ratio), ""
    if cell.other_baseline:
        hint, more = f"{hint} (another version's baseline)", f'{more} opacity="0.45"'
    return bar(left + 1, top + 4, CELL - 2, ROW - 9, colour, hint=f"{name}, {cell.window}: {hint}", more=more)


def _colour(ratio: float) -> str:
    return next((colour for least, colour in STEPS if ratio >= least), BASELINE_COLOUR)
