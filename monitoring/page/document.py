"""`report.html`: the drift report for people. Pictures first; one file that opens offline, without a script."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from monitoring.history import History
from monitoring.page import sections
from monitoring.page.past import NEW, Past
from monitoring.page.pictures.svg import BASELINE_COLOUR, DRIFT_COLOUR, INK, LINE, QUIET, WINDOW_COLOUR
from monitoring.report import Findings, summary
from monitoring.spec import DriftSpec
from monitoring.window import Window

STYLE: Final = f"""
body{{font:16px/1.5 system-ui,sans-serif;color:{INK};max-width:960px;margin:2.5rem auto;padding:0 1rem}}
h1{{font-size:1.7rem;line-height:1.25;margin:0 0 .2rem}}h2{{font-size:1.15rem;margin:2.4rem 0 .3rem}}p{{margin:.3rem 0}}
h3{{font-size:.95rem;margin:.2rem 0}}svg{{width:100%;height:auto;font-family:inherit;display:block}}
.drift{{color:{DRIFT_COLOUR}}}.quiet{{color:{QUIET}}}
.pill{{display:inline-block;padding:.1rem .7rem;border-radius:1rem;color:#fff;background:{WINDOW_COLOUR};
font-size:.9rem}}
.pill.drift{{background:{DRIFT_COLOUR};color:#fff}}.pill.quiet{{background:{BASELINE_COLOUR};color:#fff}}
.facts{{display:flex;flex-wrap:wrap;gap:.6rem 2.2rem;margin:1.2rem 0;padding:.9rem 1.2rem;background:#f6f8fa;
border-radius:.5rem}}.facts div{{font-size:.85rem;color:{QUIET}}}
.facts b{{display:block;font-size:1.35rem;line-height:1.3;color:{INK}}}.facts b.drift{{color:{DRIFT_COLOUR}}}
.panels{{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:1.2rem 2rem;margin-top:.6rem}}
.key i{{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}}.key i:first-child{{margin-left:0}}
table{{border-collapse:collapse;font-size:.9rem}}td,th{{text-align:left;padding:.3rem .9rem .3rem 0;
border-bottom:1px solid {LINE}}}td.number{{text-align:right}}
"""


def page(spec: DriftSpec, window: Window, records: Mapping[str, Any], findings: Findings, *, history: History) -> str:
    """The whole page, of the same findings as `drift_report.json`, and of the reports before it."""
    past = Past(spec, window, findings, history)
    start, end = window.to_json().values()
    parts = [
        f"<h1>{escape(spec.endpoint)} {_pill(findings)}</h1>",
        f'<p class="quiet">{start} to {end}, against the training data{_version(spec)}</p>',
        _facts(past, findings),
        f"<p>{escape(summary(findings, spec.minimum_rows))}</p>",
        *(f'<p class="quiet">{escape(note[0].upper() + note[1:])}.</p>' for note in findings.notes),
        *(sections.what_moved(past) if findings.features else ()),
        *sections.quality_over_time(past),
        *(sections.distributions(findings) if findings.features else ()),
        *sections.bias(findings),
        *sections.explanations(findings),
        *sections.correlations(findings),
        *sections.locations(findings),
        sections.records(records),
    ]
    title = escape(f"{spec.endpoint}: {findings.status.replace('-', ' ')}")
    head = f'<meta charset="utf-8"><link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(parts)}</body></html>\n'


def _pill(findings: Findings) -> str:
    mark = {"drift": " drift", "not-enough-data": " quiet"}.get(findings.status, "")
    return f'<span class="pill{mark}">{findings.status.replace("-", " ")}</span>'


def _version(spec: DriftSpec) -> str:
    return "" if spec.baseline_model_version is None else f" of version {spec.baseline_model_version}"


def _facts(past: Past, findings: Findings) -> str:
    """What one wants to know first, in numbers."""
    facts: Sequence[tuple[str, str, bool]] = [(f"{findings.rows:,}", "rows in the window", False)]
    if findings.features:
        count, furthest = len(findings.drifted_features), max(findings.features, key=lambda each: each.ratio)
        facts = [
            *facts,
            (f"{count} of {len(findings.features)}", "features drifted", count > 0),
            (furthest.name, f"moved furthest: {furthest.statistic.name} {furthest.value:.3g}", furthest.drifted),
        ]
    if since := past.since():
        facts = (
            [*facts, ("new", "no drift in the window before", True)]
            if since == NEW
            else [*facts, (since, "drifting since, without a break", True)]
        )
    if quality := past.last_quality():
        facts = [*facts, quality]
    shown = "".join(f"<div>{_bold(value, bad=bad)}{escape(said)}</div>" for value, said, bad in facts)
    return f'<div class="facts">{shown}</div>'


def _bold(value: str, *, bad: bool) -> str:
    mark = ' class="drift"' if bad else ""
    return f"<b{mark}>{escape(value)}</b>"
