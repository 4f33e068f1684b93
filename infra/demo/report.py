"""The demo's report: pictures first, then the same facts in words; one file that opens offline."""

from html import escape
from pathlib import Path

from infra.demo import pictures
from infra.demo.record import Record

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1f2933;max-width:960px;margin:2.5rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin:2.2rem 0 .4rem}p{margin:.3rem 0}
svg{width:100%;height:auto}table{border-collapse:collapse;font-size:.9rem;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #e4e7eb;vertical-align:top}
.facts{display:flex;gap:1.2rem;flex-wrap:wrap;margin:1rem 0}.facts div{font-size:.85rem;color:#52606d}
.facts b{display:block;font-size:1.5rem;color:#1f2933}
"""


def write(record: Record, path: Path) -> None:
    """Write the report."""
    sections = [
        _facts(record),
        _section(
            "Quality by month",
            "What the endpoint answered, against the labels that came later.",
            pictures.quality(record),
        ),
        _section(
            "Drift by feature and month",
            "Each month's requests against the live model's baseline.",
            pictures.drift(record),
        ),
        _section("What happened when", "", pictures.timeline(record.events)),
        _section(
            "Versions",
            "",
            _table(
                ("version", "AUC on its newest days", "trained on", "started by"),
                [_version(v) for v in record.versions],
            ),
        ),
        _section(
            "Everything that happened",
            "",
            _table(
                ("when", "what", ""),
                [(f"{e.at:%Y-%m-%d %H:%M}", e.kind, e.what) for e in sorted(record.events, key=lambda e: e.at)],
            ),
        ),
        _section(
            "How long it took",
            "",
            _table(("step", "seconds"), [(step, f"{seconds:.1f}") for step, seconds in record.steps]),
        ),
    ]
    title = "One model, one year, one machine"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    page = f'<!doctype html><html lang="en">{head}<h1>{title}</h1>{"".join(sections)}</html>\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _facts(record: Record) -> str:
    facts = (
        (len(record.versions), "versions trained"),
        (len(record.deploys), "verified deploys"),
        (len(record.alarms), "drift alarms"),
        (f"{record.requests_sent:,}", "requests"),
        (record.requests_failed, "failed requests"),
        (record.second_plan_changes, "changes in a second plan"),
        (record.resources_left, "resources left after destroy"),
    )
    boxes = "".join(f"<div><b>{'?' if value is None else value}</b>{words}</div>" for value, words in facts)
    words = "Will a flight arrive late? Real flights of 2013, real Terraform, no AWS account."
    return f'<p>{words}</p><div class="facts">{boxes}</div>'


def _section(title: str, words: str, content: str) -> str:
    return f"<h2>{title}</h2><p>{words}</p>{content}"


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _version(version: dict[str, object]) -> tuple[str, ...]:
    months = version["trained_on"]
    span = f"{months[0]} to {months[-1]}"  # type: ignore[index]
    return str(version["version"]), f"{version['auc']:.3f}", span, str(version["started_by"])
