"""Moments of the numeric features: how they go together, in sums that add up over files, hours and hosts, exactly.

A value becomes a whole number: its distance from the baseline's mean in `STEPS` a standard deviation, held within
`REACH` of them, so that one wild value cannot move a correlation by itself. Sums of whole numbers have no rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from monitoring.bins import Numbers
from monitoring.columns import sums_of_scores

STEPS: Final = 32
REACH: Final = 3
TAIL: Final = 0.01
"""Mean and deviation are taken without the lowest and highest values."""
BLOCK: Final = 8192
"""Rows at a time, so that they stay in cache, and sums of their products far below 2^53, where floats are exact."""

Sums = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scales:
    """How the numeric features are put on one scale, frozen with the baseline.

    Attributes:
        names: The features, in the signature's order.
        means: Each one's mean in the baseline, shape (features,).
        deviations: Each one's standard deviation there, shape (features,); 1 where it was constant.
    """

    names: tuple[str, ...]
    means: Numbers
    deviations: Numbers

    @classmethod
    def fit(cls, names: Sequence[str], columns: Sequence[Numbers]) -> "Scales":
        """Of the baseline's columns, each of shape (rows,); what is not finite is left out."""
        centred = [_centre(column[np.isfinite(column)]) for column in columns]
        means, deviations = np.array(centred, dtype=np.float64).reshape(-1, 2).T
        return cls(tuple(names), means, deviations)

    @property
    def steps(self) -> Numbers:
        """What a distance from the mean is multiplied with to be a score, shape (features,)."""
        # Of a deviation next to nothing, infinitely many: what is not the mean itself is then held within reach.
        with np.errstate(over="ignore"):
            return np.asarray(STEPS / self.deviations)

    def scores(self, columns: Sequence[Numbers]) -> Numbers:
        """Whole numbers, shape (features, rows); a missing value lies at the baseline's mean, 0."""
        rows = np.array(columns, dtype=np.float64)
        # A number near the largest there is overflows, and is held within reach like infinity.
        with np.errstate(over="ignore", invalid="ignore"):
            rows -= self.means[:, None]
            rows *= self.steps[:, None]
            np.clip(rows, -REACH * STEPS, REACH * STEPS, out=rows)
        np.rint(rows, out=rows)
        rows[np.isnan(rows)] = 0.0
        return rows


@dataclass(frozen=True)
class Moments:
    """Sums over rows of the scores and of their products.

    Attributes:
        rows: How many.
        sums: Shape (features,).
        products: Shape (features, features), symmetric.
    """

    rows: int
    sums: Sums
    products: Sums

    @classmethod
    def of(cls, scales: Scales, columns: Sequence[Numbers]) -> "Moments":
        """Of the numeric features' columns, in the scales' order, NaN where a value is missing."""
        rows, found = len(columns[0]), cls.empty(len(columns))
        if summed := sums_of_scores(columns, scales.means, scales.steps, REACH * STEPS):
            return cls(rows, *summed)
        for start in range(0, rows, BLOCK):
            scores = scales.scores([column[start : start + BLOCK] for column in columns])
            sums, products = scores.sum(axis=1), scores @ scores.T
            found += cls(scores.shape[1], sums.astype(np.int64), products.astype(np.int64))
        return found

    @classmethod
    def empty(cls, features: int) -> "Moments":
        """No rows yet."""
        return cls(0, np.zeros(features, dtype=np.int64), np.zeros((features, features), dtype=np.int64))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.rows + other.rows, self.sums + other.sums, self.products + other.products)

    def to_json(self) -> dict[str, Any]:
        """As baselines and hosts' parts hold it."""
        return {"rows": self.rows, "sums": self.sums.tolist(), "products": self.products.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any], features: int) -> "Moments":
        """What `to_json` made.

        Raises:
            ValueError: it is not of so many features.
        """
        sums = np.array(document["sums"], dtype=np.int64)
        products = np.array(document["products"], dtype=np.int64)
        if sums.shape != (features,) or products.shape != (features, features):
            raise ValueError(f"moments of other than {features} numeric features")
        return cls(int(document["rows"]), sums, products)


def _centre(known: Numbers) -> tuple[float, float]:
    if not known.size:
        return 0.0, 1.0
    held = np.clip(known, *np.quantile(known, [TAIL, 1 - TAIL]))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(held.mean()), float(held.std())
    if not np.isfinite(mean) or not np.isfinite(deviation):
        return 0.0, float(np.finfo(np.float64).max)
    # A feature that hardly ever leaves one value still has a scale: that of all its values.
    return mean, deviation or float(min(known.std(), np.finfo(np.float64).max)) or 1.0
