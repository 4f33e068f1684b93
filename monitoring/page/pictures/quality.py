"""How good the answers were, window by window: the watched metric with its interval, its limit, and the test days'."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitoring.page.pictures.svg import (
    DRIFT_COLOUR,
    LINE,
    PAGE_WIDTH,
    QUIET,
    WINDOW_COLOUR,
    line,
    svg,
    text,
)

LEFT, RIGHT, TOP, HEIGHT, FOOT = 60, 150, 14, 190, 30
MARGIN_OF_RANGE: Final = 0.12
TICKS: Final = 4


@dataclass(frozen=True)
class Measured:
    """One window's quality: of labels, with the interval's ends, or where those are None only estimated."""

    window: str
    value: float | None
    low: float | None
    high: float | None
    estimate: float | None


@dataclass(frozen=True)
class Scale:
    """Where a window and a value lie in the picture."""

    windows: int
    lowest: float
    highest: float

    def x(self, place: int) -> float:
        """Of the window at a place."""
        room = PAGE_WIDTH - LEFT - RIGHT
        return LEFT + (room * (place + 0.5) / self.windows)

    def y(self, value: float) -> float:
        """Of a value."""
        return TOP + HEIGHT * (1 - (value - self.lowest) / (self.highest - self.lowest))


def quality(metric: str, measured: Sequence[Measured], *, limit: float | None, baseline: float | None) -> str:
    """The picture; `baseline` is what the live version reached on its own test days."""
    given = [each for one in measured for each in (one.value, one.low, one.high, one.estimate)]
    known = [value for value in (*given, limit, baseline) if value is not None]
    margin = MARGIN_OF_RANGE * (max(known) - min(known)) or MARGIN_OF_RANGE * (abs(known[0]) or 1)
    scale = Scale(len(measured), min(known) - margin, max(known) + margin)
    parts = [*_axes(scale, measured), *_level(scale, limit, "limit", colour=DRIFT_COLOUR, dashes="5 3")]
    parts += [*_level(scale, baseline, "its test days", colour=QUIET, dashes="2 3"), *_band(scale, measured)]
    parts += [_path(scale, measured), *_points(scale, measured, metric)]
    return svg(PAGE_WIDTH, TOP + HEIGHT + FOOT, parts, f"{metric} by window, with its interval and limit")


def _axes(scale: Scale, measured: Sequence[Measured]) -> list[str]:
    parts = []
    for tick in range(TICKS + 1):
        value = scale.lowest + (scale.highest - scale.lowest) * tick / TICKS
        parts.append(line((LEFT, scale.y(value)), (PAGE_WIDTH - RIGHT, scale.y(value)), LINE))
        parts.append(text(LEFT - 8, scale.y(value) + 4, f"{value:.3g}", anchor="end", colour=QUIET, size=11))
    every = -(-len(measured) // 8)
    parts += [
        text(scale.x(place), TOP + HEIGHT + 20, one.window, anchor="middle", colour=QUIET, size=11)
        for place, one in enumerate(measured)
        if (len(measured) - 1 - place) % every == 0
    ]
    return parts


def _level(scale: Scale, value: float | None, said: str, *, colour: str, dashes: str) -> list[str]:
    if value is None:
        return []
    y, end = scale.y(value), PAGE_WIDTH - RIGHT
    return [
        line((LEFT, y), (end, y), colour, dashes=dashes),
        text(end + 6, y + 4, f"{said} {value:.4g}", colour=colour),
    ]


def _band(scale: Scale, measured: Sequence[Measured]) -> list[str]:
    """The intervals as one band where windows follow each other, and as whiskers everywhere."""
    known = [(place, one) for place, one in enumerate(measured) if one.low is not None and one.high is not None]
    above = [f"{scale.x(place):.1f},{scale.y(one.high or 0):.1f}" for place, one in known]
    below = [f"{scale.x(place):.1f},{scale.y(one.low or 0):.1f}" for place, one in reversed(known)]
    band = f'<polygon points="{" ".join([*above, *below])}" fill="{WINDOW_COLOUR}" opacity="0.14"/>'
    whiskers = [
        line((scale.x(place), scale.y(one.low or 0)), (scale.x(place), scale.y(one.high or 0)), WINDOW_COLOUR)
        for place, one in known
    ]
    return [band, *whiskers]


def _path(scale: Scale, measured: Sequence[Measured]) -> str:
    points = [
        f"{scale.x(place):.1f},{scale.y(one.value):.1f}" for place, one in enumerate(measured) if one.value is not None
    ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{WINDOW_COLOUR}" stroke-width="2"/>'


def _points(scale: Scale, measured: Sequence[Measured], metric: str) -> list[str]:
    parts = []
    for place, one in enumerate(measured):
        x = scale.x(place)
        if one.estimate is not None:
            parts.append(_dot(x, scale.y(one.estimate), f"{one.window}: {metric} estimated {one.estimate:.4g}", "none"))
        if one.value is not None:
            said = f"{one.window}: {metric} {one.value:.4g} ({one.low:.4g} to {one.high:.4g})"
            parts.append(_dot(x, scale.y(one.value), said, WINDOW_COLOUR))
            parts.append(text(x, scale.y(one.high or one.value) - 7, f"{one.value:.3g}", anchor="middle", size=11))
    return parts


def _dot(x: float, y: float, hint: str, fill: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{WINDOW_COLOUR}"><title>{hint}</title></circle>'
    )
