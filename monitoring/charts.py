"""The drift report's pictures, as SVG that is text: no library, no script, no font to load."""

from collections.abc import Sequence
from html import escape
from typing import Final

from monitoring.bins import NumericBins
from monitoring.profile import Distribution
from monitoring.report import Comparison
from monitoring.statistics.statistic import shares

BASELINE_COLOUR: Final = "#9aa5b1"
WINDOW_COLOUR: Final = "#0b7285"
DRIFT_COLOUR: Final = "#c92a2a"

_ROW, _LABEL, _BAR, _SAID = 24, 170, 470, 260
_PANEL_WIDTH, _PANEL_HEIGHT, _FOOT, _TOP, _MARGIN = 300, 110, 62, 14, 32
_LONGEST_NAME: Final = 24


def distances(features: Sequence[Comparison]) -> str:
    """One bar a feature, furthest first: its statistic in thresholds, with a line where drift begins."""
    ordered = sorted(features, key=lambda each: -each.ratio)
    widest = max(1.25, ordered[0].ratio)
    threshold, height = _LABEL + _BAR / widest, _ROW * len(ordered) + 24
    rows = [_distance(each, _ROW * place, _BAR / widest) for place, each in enumerate(ordered)]
    line = (
        f'<line x1="{threshold:.1f}" x2="{threshold:.1f}" y1="0" y2="{height - 20}" stroke="{DRIFT_COLOUR}" '
        f'stroke-dasharray="4 3"/>{_text(threshold, height - 6, "threshold", anchor="middle", colour=DRIFT_COLOUR)}'
    )
    return _svg(_LABEL + _BAR + _SAID, height, [*rows, line], "each feature's distance from the baseline")


def overlay(comparison: Comparison) -> str:
    """The shares of each bin, baseline and window side by side; bins that are empty on both sides are left out."""
    pairs = zip(
        _labels(comparison.baseline), shares(comparison.baseline.counts), shares(comparison.current.counts), strict=True
    )
    seen = [(label, float(then), float(now)) for label, then, now in pairs if then or now]
    highest, step = max(max(then, now) for _, then, now in seen), _PANEL_WIDTH / len(seen)
    bins = [
        _pair(label, then, now, left=_MARGIN + step * place, width=step, scale=_PANEL_HEIGHT / highest)
        for place, (label, then, now) in enumerate(seen)
    ]
    height = _TOP + _PANEL_HEIGHT + _FOOT
    top = _text(0, 10, f"{highest:.0%}")
    return _svg(_MARGIN + _PANEL_WIDTH, height, [top, *bins], f"distribution of {comparison.name}, baseline and window")


def _distance(each: Comparison, top: float, unit: float) -> str:
    colour = DRIFT_COLOUR if each.drifted else WINDOW_COLOUR
    said = f"{each.statistic.name} {each.value:.3g}, threshold {each.threshold:.3g}"
    width = max(each.ratio * unit, 1)
    bar = f'<rect x="{_LABEL}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}" fill="{colour}"/>'
    name = _text(_LABEL - 8, top + 16, _short(each.name), anchor="end")
    # Beyond the bar and the threshold's line.
    return name + bar + _text(_LABEL + max(width, unit) + 8, top + 16, said, colour="#52606d")


def _pair(label: str, then: float, now: float, *, left: float, width: float, scale: float) -> str:
    floor, half = _TOP + _PANEL_HEIGHT, width * 0.42
    bars = [
        f'<rect x="{left + offset:.1f}" y="{floor - share * scale:.1f}" width="{half:.1f}" '
        f'height="{share * scale:.1f}" fill="{colour}"/>'
        for offset, share, colour in ((0, then, BASELINE_COLOUR), (half, now, WINDOW_COLOUR))
    ]
    middle = left + half
    tick = (
        f'<text x="{middle:.1f}" y="{floor + 10}" font-size="9" text-anchor="end" fill="#52606d" '
        f'transform="rotate(-45 {middle:.1f} {floor + 10})">{escape(_short(label, 14))}</text>'
    )
    hint = escape(f"{label}: {then:.2%} in the baseline, {now:.2%} in the window")
    return f"<g><title>{hint}</title>{''.join(bars)}{tick}</g>"


def _labels(distribution: Distribution) -> list[str]:
    """A numeric bin is known by its upper edge: a whole interval has no room below a bar."""
    bins = distribution.bins
    if not isinstance(bins, NumericBins):
        return bins.labels()
    above = f"> {bins.edges[-1]:.4g}" if bins.edges else "any"
    return [*(f"≤ {edge:.4g}" for edge in bins.edges), above, "missing"]


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(x: float, y: float, said: str, *, anchor: str = "start", colour: str = "#1f2933") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'


def _svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
