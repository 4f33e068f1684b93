"""`report.html`: the drift report for people. Pictures first; one file that opens offline, without a script."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from monitoring import charts
from monitoring.correlation import CorrelationDrift
from monitoring.report import Comparison, Findings, summary
from monitoring.spec import DriftSpec
from monitoring.window import Window

WORST: Final = 6
"""So many features have their distributions drawn; every one has its bar."""
STYLE: Final = f"""
body{{font:16px/1.5 system-ui,sans-serif;color:#1f2933;max-width:960px;margin:2.5rem auto;padding:0 1rem}}
h1{{font-size:1.7rem;margin-bottom:.2rem}}h2{{font-size:1.15rem;margin:2.2rem 0 .4rem}}p{{margin:.3rem 0}}
h3{{font-size:.95rem;margin:.2rem 0}}svg{{width:100%;height:auto;font-family:inherit}}
.drift{{color:{charts.DRIFT_COLOUR}}}.quiet{{color:#52606d}}
.panels{{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:1.2rem 2rem}}
.key i{{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}}
table{{border-collapse:collapse;font-size:.9rem}}td,th{{text-align:left;padding:.3rem .9rem .3rem 0;
border-bottom:1px solid #e4e7eb}}
"""
KEY: Final = (
    f'<p class="key quiet"><i style="background:{charts.BASELINE_COLOUR}"></i>training data'
    f'<i style="background:{charts.WINDOW_COLOUR}"></i>this window</p>'
)


def page(spec: DriftSpec, window: Window, records: Mapping[str, Any], findings: Findings) -> str:
    """The whole page, of the same findings as `drift_report.json`."""
    title = f"{spec.endpoint}: {findings.status.replace('-', ' ')}"
    start, end = window.to_json().values()
    verdict = f'<p class="{"drift" if findings.status == "drift" else "quiet"}">'
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{start} to {end}, {findings.rows:,} rows</p>',
        f"{verdict}{escape(summary(findings, spec.minimum_rows))}</p>",
        *_pictures(findings, spec),
        _records(records),
    ]
    head = f'<meta charset="utf-8"><link rel="icon" href="data:,"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(parts)}</body></html>\n'


def _pictures(findings: Findings, spec: DriftSpec) -> Sequence[str]:
    if not findings.features:
        return []
    worst = sorted(findings.features, key=lambda each: -each.ratio)[:WORST]
    shown = [*worst, *([findings.prediction] if findings.prediction else [])]
    return [
        "<h2>What moved, and how far</h2>",
        f'<p class="quiet">{escape(_rule(spec))}</p>',
        charts.distances(findings.features),
        "<h2>The features that moved furthest, and the prediction</h2>",
        KEY,
        f'<div class="panels">{"".join(_panel(each, findings) for each in shown)}</div>',
        *([_together(findings.correlation)] if findings.correlation else []),
    ]


def _rule(spec: DriftSpec) -> str:
    if spec.false_alarm_rate is None:
        return f"A feature has drifted from {spec.psi_threshold:g} on."
    return (
        "Thresholds are set for windows of this size: without any drift, a feature, or how they go together, "
        f"would reach its own in {spec.false_alarm_rate:.4g} of them."
    )


def _panel(each: Comparison, findings: Findings) -> str:
    name = "prediction" if each is findings.prediction else each.name
    missing = f", {each.current.missing_rate:.1%} missing" if each.current.missing else ""
    said = f"{each.statistic.name} {each.value:.3g}{missing}"
    mark = ' class="drift"' if each.drifted else ""
    return f'<div><h3{mark}>{escape(name)} <span class="quiet">{said}</span></h3>{charts.overlay(each)}</div>'


def _together(correlation: CorrelationDrift) -> str:
    """The pairs whose correlation changed most, and the verdict on all pairs."""
    rows = "".join(
        f"<tr><td>{escape(pair.first)}</td><td>{escape(pair.second)}</td>"
        f"<td>{pair.baseline:.2f}</td><td>{pair.current:.2f}</td></tr>"
        for pair in correlation.pairs
    )
    mark = "drift" if correlation.drifted else "quiet"
    said = f"largest change {correlation.value:.3g} standard errors, threshold {correlation.threshold:.3g}"
    head = "<tr><th>feature</th><th>feature</th><th>training data</th><th>this window</th></tr>"
    return f'<h2>How features go together</h2><p class="{mark}">{said}</p><table>{head}{rows}</table>'


def _records(records: Mapping[str, Any]) -> str:
    """What was read, used and refused, and why: nothing is dropped in silence."""
    counts = [(name.replace("_", " "), number) for name, number in records.items() if name != "reasons"]
    reasons = [(f"refused: {reason}", number) for reason, number in records["reasons"].items()]
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{number:,}</td></tr>" for name, number in [*counts, *reasons])
    return f"<h2>Captured records</h2><table>{rows}</table>"
