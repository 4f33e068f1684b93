"""Answers of 0 and 1 by group: counts over the baseline's own categories, which add up over files and hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.bins import CategoricalBins, Numbers, Places
from monitoring.errors import MonitoringError
from monitoring.statistics.statistic import Counts


@dataclass(frozen=True)
class Decisions:
    """Rows answered 0 and 1 in each group, shape (groups, 2) a column; one without a score is in none."""

    counts: tuple[Counts, ...]

    def __add__(self, other: "Decisions") -> "Decisions":
        return Decisions(tuple(ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)))

    def to_json(self) -> list[list[list[int]]]:
        """As one host leaves it to another."""
        return [counts.tolist() for counts in self.counts]

    @classmethod
    def from_json(cls, document: Sequence[Any], groups: "DecidedGroups") -> "Decisions":
        """What `to_json` made of the same groups.

        Raises:
            ValueError: it is of others.
        """
        counts = tuple(np.array(each, dtype=np.int64) for each in document)
        if [each.shape for each in counts] != [each.shape for each in groups.nobody.counts]:
            raise ValueError("the groups' counts are of other groups")
        return cls(counts)


@dataclass(frozen=True)
class DecidedGroups:
    """The training rows of each column's groups by label and answer, and from which score on the answer is 1.

    Attributes:
        threshold: The model's own.
        columns: The bins of each categorical feature: its groups are those categories, the rare ones together, those
            never seen before, and the missing.
        counts: One a column, shape (groups, label, answer).
    """

    threshold: float
    columns: tuple[CategoricalBins, ...]
    counts: tuple[Counts, ...]

    @classmethod
    def fit(
        cls,
        threshold: float,
        columns: Sequence[CategoricalBins],
        places: Sequence[Places],
        *,
        labels: Numbers,
        scores: Numbers,
    ) -> "DecidedGroups":
        """Of training rows: the bin of each value a column, labels of 0 and 1, and scores, each of shape (rows,)."""
        cell = 2 * (labels == 1).astype(np.int64) + (scores >= threshold)
        counts = tuple(
            np.bincount(4 * place.astype(np.int64) + cell, minlength=4 * len(bins.labels())).reshape(-1, 2, 2)
            for bins, place in zip(columns, places, strict=True)
        )
        return cls(threshold, tuple(columns), counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(each.name for each in self.columns)

    def of(self, names: Sequence[str]) -> "DecidedGroups | None":
        """With these columns alone, in this order; None of no column.

        Raises:
            MonitoringError: the baseline does not know one of them.
        """
        if unknown := [name for name in names if name not in self.names]:
            raise MonitoringError(f"bias by {', '.join(unknown)}: no categorical feature of the baseline")
        chosen = [self.names.index(name) for name in names]
        columns, counts = tuple(self.columns[each] for each in chosen), tuple(self.counts[each] for each in chosen)
        return DecidedGroups(self.threshold, columns, counts) if names else None

    def count(self, places: Mapping[str, Places], scores: Numbers) -> Decisions:
        """Of captured rows: the bin of each value by column, and scores, NaN where none was captured."""
        answered = ~np.isnan(scores)
        answer = (scores[answered] >= self.threshold).astype(np.int64)
        return Decisions(
            tuple(
                np.bincount(
                    2 * places[bins.name][answered].astype(np.int64) + answer, minlength=2 * len(bins.labels())
                ).reshape(-1, 2)
                for bins in self.columns
            )
        )

    @property
    def nobody(self) -> Decisions:
        """Of no rows."""
        return Decisions(tuple(np.zeros((len(bins.labels()), 2), dtype=np.int64) for bins in self.columns))

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        columns = [
            {"name": name, "counts": counts.tolist()} for name, counts in zip(self.names, self.counts, strict=True)
        ]
        return {"threshold": self.threshold, "columns": columns}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], bins: Sequence[CategoricalBins]) -> "DecidedGroups":
        """What `to_json` made of these features.

        Raises:
            ValueError: it does not fit them.
        """
        by_name = {each.name: each for each in bins}
        columns = tuple(by_name[each["name"]] for each in document["columns"])
        counts = tuple(np.array(each["counts"], dtype=np.int64) for each in document["columns"])
        if any(
            one.shape != (len(of.labels()), 2, 2) or (one < 0).any() for one, of in zip(counts, columns, strict=True)
        ):
            raise ValueError("the groups' counts do not fit their bins")
        return cls(float(document["threshold"]), columns, counts)
