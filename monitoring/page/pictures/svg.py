"""What pictures are drawn with: colours, text, and the frame around them."""

from collections.abc import Sequence
from html import escape
from typing import Final

INK: Final = "#1f2933"
QUIET: Final = "#52606d"
LINE: Final = "#e4e7eb"
BASELINE_COLOUR: Final = "#9aa5b1"
WINDOW_COLOUR: Final = "#0b7285"
DRIFT_COLOUR: Final = "#c92a2a"
PAGE_WIDTH: Final = 960
LONGEST_NAME: Final = 22


def text(
    x: float, y: float, said: str, *, anchor: str = "start", colour: str = INK, size: float = 12, bold: bool = False
) -> str:
    """A label, its baseline at (x, y)."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(said)}</text>"
    )


def bar(  # noqa: PLR0917 - a bar's four measures and its colour
    x: float, y: float, width: float, height: float, colour: str, *, hint: str = "", more: str = ""
) -> str:
    """A filled rectangle with a hint that shows when it is pointed at."""
    title = f"<title>{escape(hint)}</title>" if hint else ""
    at = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect {at} rx="1.5" fill="{colour}"{more}>{title}</rect>'


def line(start: tuple[float, float], end: tuple[float, float], colour: str = LINE, *, dashes: str = "") -> str:
    """A straight line between two points (x, y)."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    places = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {places} stroke="{colour}"{dashed}/>'


def svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    """A picture that is as wide as there is room, and says to those who cannot see it what it shows."""
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def short(said: str, longest: int = LONGEST_NAME) -> str:
    """As much of a name as there is room for: its beginning and its end, by which names of one family differ."""
    if len(said) <= longest:
        return said
    kept = longest - 1
    return f"{said[: kept - kept // 2]}…{said[-(kept // 2) :]}"
