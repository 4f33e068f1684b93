"""One column's distribution: the shares of each bin in the training data and in the window, side by side."""

from typing import Final

from monitoring.bins import NumericBins
from monitoring.page.pictures.svg import BASELINE_COLOUR, INK, LINE, QUIET, WINDOW_COLOUR, bar, line, short, svg, text
from monitoring.profile import Distribution
from monitoring.report import Comparison
from monitoring.statistics.statistic import shares

WIDTH, HEIGHT, FOOT, TOP, MARGIN = 300, 110, 62, 14, 32
LONGEST_LABEL: Final = 14


def overlay(comparison: Comparison) -> str:
    """The bins that are empty on both sides are left out."""
    pairs = zip(
        _labels(comparison.baseline), shares(comparison.baseline.counts), shares(comparison.current.counts), strict=True
    )
    seen = [(label, float(then), float(now)) for label, then, now in pairs if then or now]
    highest, step = max(max(then, now) for _, then, now in seen), WIDTH / len(seen)
    bins = [
        _pair(label, then, now, left=MARGIN + step * place, width=step, scale=HEIGHT / highest)
        for place, (label, then, now) in enumerate(seen)
    ]
    floor = TOP + HEIGHT
    frame = [text(0, 10, f"{highest:.0%}", size=11, colour=INK), line((MARGIN, floor), (MARGIN + WIDTH, floor), LINE)]
    title = f"distribution of {comparison.name}, baseline and window"
    return svg(MARGIN + WIDTH, floor + FOOT, [*frame, *bins], title)


def _pair(label: str, then: float, now: float, *, left: float, width: float, scale: float) -> str:
    floor, half = TOP + HEIGHT, width * 0.42
    hint = f"{label}: {then:.2%} in the baseline, {now:.2%} in the window"
    bars = [
        bar(left + offset, floor - share * scale, half, share * scale, colour, hint=hint)
        for offset, share, colour in ((0, then, BASELINE_COLOUR), (half, now, WINDOW_COLOUR))
    ]
    middle = left + half
    tick = text(middle, floor + 10, short(label, LONGEST_LABEL), anchor="end", colour=QUIET, size=9)
    return f'<g>{"".join(bars)}<g transform="rotate(-45 {middle:.1f} {floor + 10})">{tick}</g></g>'


def _labels(distribution: Distribution) -> list[str]:
    """A numeric bin is known by its upper edge: a whole interval has no room below a bar."""
    bins = distribution.bins
    if not isinstance(bins, NumericBins):
        return bins.labels()
    above = f"> {bins.edges[-1]:.4g}" if bins.edges else "any"
    return [*(f"≤ {edge:.4g}" for edge in bins.edges), above, "missing"]
