"""The sections of `report.html`: a heading, a sentence that says how to read it, a picture."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from monitoring.fairness.bias import Bias
from monitoring.page.past import Past
from monitoring.page.pictures.movements import movements
from monitoring.page.pictures.overlay import overlay
from monitoring.page.pictures.pairs import Pair, pairs
from monitoring.page.pictures.quality import quality
from monitoring.page.pictures.svg import BASELINE_COLOUR, WINDOW_COLOUR
from monitoring.report import Comparison, Findings
from monitoring.spec import DriftSpec
from monitoring.verdict import Verdict

WORST: Final = 6
"""So many features have their distributions drawn; every one has its row."""
AT_ONCE: Final = 30
"""More rows than this are folded away."""
KEY: Final = (
    f'<p class="key quiet"><i style="background:{BASELINE_COLOUR}"></i>training data'
    f'<i style="background:{WINDOW_COLOUR}"></i>this window</p>'
)


def what_moved(past: Past) -> Iterator[str]:
    """Every column's distance, now and in the windows before."""
    rows = past.movements()
    yield "<h2>What moved, how far, and since when</h2>"
    yield f'<p class="quiet">{escape(_rule(past.spec))}</p>'
    if past.unread:
        yield f'<p class="quiet">{escape(past.unread)}</p>'
    if past.other_baselines:
        yield '<p class="quiet">Faint squares were held against another version\'s training data.</p>'
    yield movements(rows[:AT_ONCE], past.windows)
    if others := rows[AT_ONCE:]:
        folded = movements(others, past.windows)
        yield f"<details><summary>{len(others)} more, which moved less</summary>{folded}</details>"


def quality_over_time(past: Past) -> Iterator[str]:
    """The watched metric, if labels or scores have told it."""
    measured, watched = past.measured(), past.watched
    if watched is None or not any(one.value is not None or one.estimate is not None for one in measured):
        return
    metric, limit, baseline = watched
    yield f"<h2>Quality over time: {escape(metric)}</h2>"
    said = "By labels that came later: the band holds the true value 95 times in 100."
    guessed = " A hollow circle is what it would be if the scores were calibrated, without a label."
    yield f'<p class="quiet">{said}{guessed if any(one.estimate is not None for one in measured) else ""}</p>'
    yield quality(metric, measured, limit=limit, baseline=baseline)


def distributions(findings: Findings) -> Iterator[str]:
    """The features that moved furthest, and the prediction, bin by bin."""
    worst = sorted(findings.features, key=lambda each: -each.ratio)[:WORST]
    shown = [*worst, *([findings.prediction] if findings.prediction else [])]
    yield "<h2>The features that moved furthest, and the prediction</h2>"
    yield KEY
    yield f'<div class="panels">{"".join(_panel(each, findings) for each in shown)}</div>'


def bias(findings: Findings) -> Iterator[str]:
    """Shares of answers of 1 by group."""
    for each in findings.bias:
        yield f"<h2>Answers of 1, by {escape(each.column)}</h2>"
        yield f'<p class="quiet">{escape(_apart(each))} Faint groups have too few rows to be compared.</p>{KEY}'
        rows = [
            Pair(one.group, one.baseline, one.rate, _share(one.rate, one.rows), faint=not one.compared)
            for one in each.groups
        ]
        yield pairs(rows, f"share of answers of 1 by {each.column}")


def explanations(findings: Findings) -> Iterator[str]:
    """What the model goes by."""
    drift = findings.explanations
    if drift is None:
        return
    yield "<h2>What the model goes by</h2>"
    order = f"Agreement with the order in training: {drift.agreement:.2f} of 1"
    verdict = ", below the customary 0.90." if drift.drifted else "."
    mark = "drift" if drift.drifted else "quiet"
    said = f"How far each input moves the score, on average over {drift.current.rows:,} rows. {order}{verdict}"
    yield f'<p class="{mark}">{escape(said)}</p>'
    yield KEY
    yield pairs([Pair(name, then, now, f"{now:.3g}") for name, then, now in drift.by_name()], "contributions by input")


def correlations(findings: Findings) -> Iterator[str]:
    """The pairs whose correlation changed most, and the verdict on all pairs."""
    correlation = findings.correlation
    if correlation is None:
        return
    rows = "".join(
        f"<tr><td>{escape(pair.first)}</td><td>{escape(pair.second)}</td>"
        f"<td>{pair.baseline:.2f}</td><td>{pair.current:.2f}</td></tr>"
        for pair in correlation.pairs
    )
    said = f"largest change {correlation.value:.3g} standard errors, threshold {correlation.threshold:.3g}"
    head = "<tr><th>feature</th><th>feature</th><th>training data</th><th>this window</th></tr>"
    yield _together("How features go together", correlation, said, head + rows)


def locations(findings: Findings) -> Iterator[str]:
    """The features that moved most against the others, and the verdict on all of them."""
    location = findings.location
    if location is None:
        return
    rows = "".join(
        f'<tr><td>{escape(move.name)}</td><td class="number">{move.standard_errors:+.2f}</td></tr>'
        for move in location.features
    )
    said = f"all means moved by {location.value:.3g} standard errors, threshold {location.threshold:.3g}"
    head = "<tr><th>feature</th><th>standard errors from what the others say</th></tr>"
    yield _together("Where features lie together", location, said, head + rows)


def _together(title: str, verdict: Verdict, said: str, table: str) -> str:
    mark = "drift" if verdict.drifted else "quiet"
    return f'<h2>{title}</h2><p class="{mark}">{said}</p><table>{table}</table>'


def records(counts: Mapping[str, Any]) -> str:
    """What was read, used and refused, and why: nothing is dropped in silence."""
    told = [(name.replace("_", " "), number) for name, number in counts.items() if name != "reasons"]
    reasons = [(f"refused: {reason}", number) for reason, number in counts["reasons"].items()]
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="number">{number:,}</td></tr>' for name, number in [*told, *reasons]
    )
    return f"<h2>Captured records</h2><table>{rows}</table>"


def _rule(spec: DriftSpec) -> str:
    if spec.false_alarm_rate is None:
        return f"A feature has drifted from {spec.psi_threshold:g} on. A square is a window, the darker the further."
    return (
        "Thresholds are set for windows of this size: without any drift, a feature, or how they go together, "
        f"would reach its own in {spec.false_alarm_rate:.4g} of them. A square is a window, the darker the further."
    )


def _panel(each: Comparison, findings: Findings) -> str:
    name = "prediction" if each is findings.prediction else each.name
    missing = f", {each.current.missing_rate:.1%} missing" if each.current.missing else ""
    said = f"{each.statistic.name} {each.value:.3g}{missing}"
    mark = ' class="drift"' if each.drifted else ""
    return f'<div><h3{mark}>{escape(name)} <span class="quiet">{said}</span></h3>{overlay(each)}</div>'


def _apart(each: Bias) -> str:
    if each.parity_difference is None or each.impact is None:
        return "Fewer than two groups are large enough to be compared."
    then = each.baseline_parity_difference
    before = "" if then is None else f", {100 * then:.1f} in training"
    return (
        f"The highest and the lowest share are {100 * each.parity_difference:.1f} points apart{before}; the lowest is "
        f"{each.impact:.2f} of the highest (by the four-fifths rule, 0.80 or more)."
    )


def _share(rate: float | None, rows: int) -> str:
    return "no rows now" if rate is None else f"{rate:.1%} of {rows:,} rows"
