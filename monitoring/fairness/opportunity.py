"""What labels say of the declared groups: who of those that should be answered 1 is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from monitoring.bins import CategoricalBins, Numbers
from monitoring.decode import Refused, decode_rows
from monitoring.fairness.equal_opportunity import equal_opportunity_difference
from monitoring.fairness.rates import large_enough, positive_rates
from monitoring.statistics.statistic import Counts

Groups = Sequence[tuple[str | None, ...]]
"""Of each row of a request, its group in each declared column; None where missing."""
UNREAD: Final[Groups] = ()


def groups_of(records: pl.DataFrame, schema: pl.Schema, columns: Sequence[str]) -> Iterator[tuple[str, Groups]]:
    """(id, groups) of each captured record whose input can be read as rows of `schema`."""
    for id_, input_type, body in records.select("id", "input_type", "input").iter_rows():
        try:
            rows = decode_rows(input_type, [body], schema)
        except Refused:
            continue
        yield id_, rows.select(columns).rows()


@dataclass(frozen=True)
class Opportunity:
    """One column's groups by label and answer.

    Attributes:
        column: The declared column.
        groups: Its categories, the most frequent first; then the rare ones together, and the missing.
        counts: Rows by label and answer, shape (groups, 2, 2).
        least_rows: Groups with fewer rows labelled 1 are not compared.
    """

    column: str
    groups: tuple[str, ...]
    counts: Counts
    least_rows: int

    @classmethod
    def of(cls, column: str, groups: pl.Series, *, labels: Numbers, answers: Numbers, least_rows: int) -> "Opportunity":
        """Of labelled rows: the group of each, its label and its answer, of shape (rows,)."""
        bins = CategoricalBins.fit(groups.alias(column))
        cell = 2 * (labels == 1).astype(np.int64) + (answers == 1)
        counts = np.bincount(4 * bins.places(groups).astype(np.int64) + cell, minlength=4 * len(bins.labels()))
        return cls(column, tuple(bins.labels()), counts.reshape(-1, 2, 2), least_rows)

    @property
    def difference(self) -> float | None:
        """How far apart the groups' true positive rates are; None with fewer than two to compare."""
        return equal_opportunity_difference(self.counts, self.least_rows)

    def to_json(self) -> dict[str, Any]:
        """As `quality_report.json` holds it."""
        positives = self.counts[:, 1]
        rates, compared = positive_rates(positives), large_enough(positives, self.least_rows)
        rows = zip(self.groups, self.counts.sum(axis=(1, 2)), positives.sum(axis=1), rates, compared, strict=True)
        return {
            "column": self.column,
            "equal_opportunity_difference": self.difference,
            "groups": [
                {
                    "group": group,
                    "rows": int(count),
                    "positives": int(positive),
                    "true_positive_rate": float(rate) if positive else None,
                    "compared": bool(large),
                }
                for group, count, positive, rate, large in rows
                if count
            ],
        }


def opportunities(
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
    *,
    labels: Numbers,
    answers: Numbers,
    least_rows: int,
) -> tuple[Opportunity, ...]:
    """One a declared column, of labelled rows whose groups are known."""
    return tuple(
        Opportunity.of(
            name,
            pl.Series(name, [row[place] for row in rows], dtype=pl.String),
            labels=labels,
            answers=answers,
            least_rows=least_rows,
        )
        for place, name in enumerate(columns)
    )
