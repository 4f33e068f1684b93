"""A profile: the counts of every feature and of the prediction, over bins that are frozen elsewhere.

Profiles of the same bins add up: `profile(a) + profile(b) == profile(a and b together)`, exactly.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from monitoring.bins import Bins, CategoricalBins, Numbers, NumericBins, Places
from monitoring.statistics import Counts


@dataclass(frozen=True)
class Distribution:
    """One column's bins, the counts over them, and the sum of the values where they are numbers.

    Attributes:
        bins: Where the values are counted.
        counts: One a bin.
        total: The sum of the known values; 0 for categories.
    """

    bins: Bins
    counts: Counts
    total: float = 0.0

    @classmethod
    def of(cls, bins: Bins, values: pl.Series) -> "Distribution":
        """Count `values`."""
        if isinstance(bins, NumericBins):
            return cls.of_numbers(bins, values.cast(pl.Float64).to_numpy())
        return cls(bins, bins.count(values))

    @classmethod
    def of_numbers(cls, bins: NumericBins, numbers: Numbers) -> "Distribution":
        """Count numbers, NaN being missing."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(numbers.sum())
            if not math.isfinite(total):
                # JSON has no infinity; the largest number there is stands for a sum beyond it.
                total = float(np.nan_to_num(numbers[np.isfinite(numbers)].sum()))
        return cls(bins, bins.count_numbers(numbers), total)

    @classmethod
    def of_places(cls, bins: CategoricalBins, places: Places) -> "Distribution":
        """Count categories whose bins are known already."""
        return cls(bins, np.bincount(places, minlength=len(bins.labels())).astype(np.int64))

    def __add__(self, other: "Distribution") -> "Distribution":
        if self.bins != other.bins:
            raise ValueError(f"{self.bins.name} and {other.bins.name} are not counted over the same bins")
        return Distribution(self.bins, self.counts + other.counts, self.total + other.total)

    @property
    def rows(self) -> int:
        """All rows, missing ones included."""
        return int(self.counts.sum())

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return int(self.counts[-1])

    @property
    def missing_rate(self) -> float:
        """The share of rows without a value; 0 when there are no rows."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def mean(self) -> float | None:
        """The mean of the known values; None when there are none."""
        known = self.rows - self.missing
        return self.total / known if known and self.bins.type == "numeric" else None


@dataclass(frozen=True)
class Profile:
    """The distributions of a set of rows: each feature, in the signature's order, and the prediction.

    Attributes:
        features: One distribution a feature.
        prediction: Of the model's scores; counts nothing where no prediction was captured.
    """

    features: tuple[Distribution, ...]
    prediction: Distribution

    @classmethod
    def of(cls, features: Sequence[Bins], prediction: Bins, rows: pl.DataFrame, scores: pl.Series) -> "Profile":
        """Count `rows` (a column a feature) and `scores` over the given bins."""
        counted = tuple(Distribution.of(bins, rows[bins.name]) for bins in features)
        return cls(counted, Distribution.of(prediction, scores))

    @classmethod
    def of_scanned(
        cls, features: Sequence[Bins], prediction: Bins, numbers: Iterable[Numbers], places: Iterable[Places]
    ) -> "Profile":
        """Count columns as `monitoring.scanner.Scanned` has them: the score is the last of the numbers."""
        number, place = iter(numbers), iter(places)
        *counted, predicted = (
            Distribution.of_numbers(bins, next(number))
            if isinstance(bins, NumericBins)
            else Distribution.of_places(bins, next(place))
            for bins in (*features, prediction)
        )
        return cls(tuple(counted), predicted)

    @classmethod
    def empty(cls, features: Sequence[Bins], prediction: Bins) -> "Profile":
        """No rows yet."""
        return cls(tuple(_nothing(bins) for bins in features), _nothing(prediction))

    def __add__(self, other: "Profile") -> "Profile":
        features = tuple(ours + theirs for ours, theirs in zip(self.features, other.features, strict=True))
        return Profile(features, self.prediction + other.prediction)

    @property
    def rows(self) -> int:
        """Rows counted."""
        return self.features[0].rows if self.features else 0


def _nothing(bins: Bins) -> Distribution:
    return Distribution(bins, np.zeros(len(bins.labels()), dtype=np.int64))
