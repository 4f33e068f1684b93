"""What a window's answers say of the declared groups, beside what they said of the training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.fairness.decisions import DecidedGroups, Decisions
from monitoring.fairness.demographic_parity import demographic_parity_difference
from monitoring.fairness.disparate_impact import disparate_impact
from monitoring.fairness.rates import large_enough, positive_rates
from monitoring.statistics.statistic import Counts


@dataclass(frozen=True)
class GroupRate:
    """One group's share of answers of 1.

    Attributes:
        group: The category, or `rare`, `new`, `missing`.
        rows: Rows of the window with an answer.
        rate: Now; None without rows.
        baseline: In the training rows; None where there were none.
        compared: Whether it is large enough to be compared with others.
    """

    group: str
    rows: int
    rate: float | None
    baseline: float | None
    compared: bool


@dataclass(frozen=True)
class Bias:
    """A column's groups, and how far apart they are; a measure is None with fewer than two groups to compare."""

    column: str
    groups: tuple[GroupRate, ...]
    parity_difference: float | None
    impact: float | None
    baseline_parity_difference: float | None
    baseline_impact: float | None

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {
            "column": self.column,
            "demographic_parity_difference": self.parity_difference,
            "disparate_impact": self.impact,
            "baseline": {
                "demographic_parity_difference": self.baseline_parity_difference,
                "disparate_impact": self.baseline_impact,
            },
            "groups": [
                {
                    "group": each.group,
                    "rows": each.rows,
                    "positive_rate": each.rate,
                    "baseline": each.baseline,
                    "compared": each.compared,
                }
                for each in self.groups
            ],
        }


def bias(trained: DecidedGroups, window: Decisions, least_rows: int) -> tuple[Bias, ...]:
    """One a declared column; groups that neither side has seen are left out."""
    columns = zip(trained.columns, trained.counts, window.counts, strict=True)
    return tuple(
        _column(bins.name, bins.labels(), then.sum(axis=1), now, least_rows=least_rows) for bins, then, now in columns
    )


def _column(name: str, labels: Sequence[str], then: Counts, now: Counts, *, least_rows: int) -> Bias:
    return Bias(
        name,
        _groups(labels, then, now, least_rows),
        demographic_parity_difference(now, least_rows),
        disparate_impact(now, least_rows),
        demographic_parity_difference(then, least_rows),
        disparate_impact(then, least_rows),
    )


def _groups(labels: Sequence[str], then: Counts, now: Counts, least_rows: int) -> tuple[GroupRate, ...]:
    rows = zip(
        labels,
        now.sum(axis=1),
        positive_rates(now),
        then.sum(axis=1),
        positive_rates(then),
        large_enough(now, least_rows),
        strict=True,
    )
    return tuple(
        GroupRate(label, int(count), float(rate) if count else None, float(before) if known else None, bool(compared))
        for label, count, rate, known, before, compared in rows
        if count or known
    )
