"""What labels say of a window's answers: `quality_report.json`, and the verdict on the watched metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from monitoring.contract import QUALITY_BETTER_WHEN_HIGHER, QUALITY_REPORT_SCHEMA_VERSION
from monitoring.fairness.opportunity import Opportunity
from monitoring.performance import Measured
from monitoring.spec import QualitySpec
from monitoring.window import Window

Status = Literal["worse", "good-enough", "measured", "not-enough-labels"]


@dataclass(frozen=True)
class Quality:
    """A window's quality; no metric when too few rows have a label.

    Attributes:
        rows: Rows with a label.
        metrics: By name, as in `QUALITY_METRICS`.
        estimated: The same of all answers, without a label; None for a regression, or with too few answers.
        opportunities: True positive rates by group, one a declared column.
    """

    rows: int
    metrics: Mapping[str, Measured]
    estimated: Mapping[str, float] | None
    opportunities: tuple[Opportunity, ...] = ()

    def at_best(self, metric: str) -> float:
        """The better end of a metric's interval."""
        measured = self.metrics[metric]
        return measured.high if metric in QUALITY_BETTER_WHEN_HIGHER else measured.low

    def status(self, spec: QualitySpec) -> Status:
        """`worse` where even the better end of the interval is beyond the limit, as the alarm has it."""
        if not self.metrics:
            return "not-enough-labels"
        if spec.metric is None or spec.limit is None or spec.metric not in self.metrics:
            return "measured"
        beyond = self.at_best(spec.metric) - spec.limit
        return "worse" if (beyond < 0 if spec.metric in QUALITY_BETTER_WHEN_HIGHER else beyond > 0) else "good-enough"


def report(
    spec: QualitySpec, window: Window, quality: Quality, *, records: dict[str, Any], labels: dict[str, Any]
) -> dict[str, Any]:
    """`quality_report.json`, as docs/architecture.md describes it."""
    return {
        "schema_version": QUALITY_REPORT_SCHEMA_VERSION,
        "model": spec.model,
        "endpoint": spec.endpoint,
        "window": window.to_json(),
        "records": records,
        "labels": labels,
        "labelled_rows": quality.rows,
        "status": quality.status(spec),
        "watched": {"metric": spec.metric, "limit": spec.limit, "baseline": spec.baseline} if spec.metric else None,
        "metrics": {name: measured.to_json() for name, measured in quality.metrics.items()},
        "estimate_without_labels": quality.estimated,
        "bias": [each.to_json() for each in quality.opportunities],
    }


def summary(spec: QualitySpec, quality: Quality) -> str:
    """The verdict in a sentence, for the exit message."""
    if not quality.metrics:
        missing = f"not enough labels: {quality.rows} rows have one, {spec.minimum_rows} needed"
        guessed = ", ".join(f"{name} {value:.4g}" for name, value in (quality.estimated or {}).items())
        return f"{missing}; estimated, if the scores are calibrated: {guessed}" if guessed else missing
    said = ", ".join(
        f"{name} {each.value:.4g} ({each.low:.4g} to {each.high:.4g})" for name, each in quality.metrics.items()
    )
    limit = f"{spec.metric} beyond {spec.limit:.4g}: " if quality.status(spec) == "worse" else ""
    return f"{limit}quality of {quality.rows} labelled rows: {said}"
