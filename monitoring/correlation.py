"""Drift that no single feature shows: the correlations of the numeric features, all pairs at once.

The statistic is the largest change of any pair's correlation, in standard errors; its threshold, as every feature's, is
what chance alone reaches in windows of this size (`monitoring.calibration`).
Sources: Steiger, Tests for comparing elements of a correlation matrix (1980); Hampel, The influence curve and its role
in robust estimation (1974), for the standard errors of correlations of any distribution.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.bins import Numbers
from monitoring.contract import CORRELATION
from monitoring.moments import Moments, Scales
from monitoring.statistics.statistic import Values
from monitoring.verdict import Verdict

SHOWN: Final = 5
"""So many pairs are reported."""
ERROR_ROWS: Final = 50_000
"""Rows of the baseline that standard errors are taken of."""
MOST_FEATURES: Final = 64
"""With more numeric features than this, pairs are too many to draw for."""
SMALLEST_ERROR: Final = 0.3
"""That of a correlation of 0.84. Of pairs that move as one, a few odd rows are most of the error: one more or less of
them, as the baseline or the window has by chance, is no change."""
SEED: Final = 20130101


@dataclass(frozen=True)
class Pair:
    """Two features, and their correlation then and now."""

    first: str
    second: str
    baseline: float
    current: float

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {"features": [self.first, self.second], "baseline": self.baseline, "current": self.current}


@dataclass(frozen=True)
class CorrelationDrift(Verdict):
    """How far a window's correlations lie from the baseline's.

    Attributes:
        value: The largest change of any pair, in standard errors.
        threshold: From it on, they drifted.
        pairs: Those that changed most, furthest first.
    """

    value: float
    threshold: float
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {
            "statistic": CORRELATION,
            "value": self.value,
            "threshold": self.threshold,
            "drifted": self.drifted,
            "pairs": [pair.to_json() for pair in self.pairs],
        }


@dataclass(frozen=True)
class Association:
    """How the baseline's numeric features go together, and by how much chance moves that.

    Attributes:
        scales: What the moments are counted on.
        moments: Of all the baseline's rows.
        errors: Each pair's standard error of the correlation, times the square root of the rows.
    """

    scales: Scales
    moments: Moments
    errors: Values

    @classmethod
    def fit(cls, names: Sequence[str], columns: Sequence[Numbers]) -> "Association | None":
        """Of the baseline's numeric columns; None where there are no pairs, or more than can be drawn for."""
        if not 2 <= len(names) <= MOST_FEATURES or not len(columns[0]):  # noqa: PLR2004 - a pair
            return None
        scales, rows = Scales.fit(names, columns), len(columns[0])
        chosen = np.random.default_rng(SEED).choice(rows, min(rows, ERROR_ROWS), replace=False)
        scores = scales.scores([column[chosen] for column in columns])
        return cls(scales, Moments.of(scales, columns), _square(pair_errors(scores), len(names)))

    def columns(self, rows: pl.DataFrame) -> list[Numbers]:
        """The numeric features of `rows`, NaN where a value is missing."""
        return numbers(rows, self.scales.names)

    def compare(self, window: Moments, threshold: float) -> "CorrelationDrift":
        """Hold a window against the baseline."""
        changes, then, now = self.changes(window), correlations(self.moments), correlations(window)
        first, second = np.triu_indices(len(changes), k=1)
        furthest = np.argsort(-changes[first, second], kind="stable")[:SHOWN]
        pairs = tuple(
            Pair(self.scales.names[one], self.scales.names[other], float(then[one, other]), float(now[one, other]))
            for one, other in zip(first[furthest], second[furthest], strict=True)
        )
        return CorrelationDrift(float(changes.max()), threshold, pairs)

    def changes(self, window: Moments) -> Values:
        """Each pair's change of correlation, in standard errors, shape (features, features), 0 on the diagonal."""
        change = np.abs(correlations(window) - correlations(self.moments))
        np.fill_diagonal(change, 0.0)
        return np.asarray(change / self.errors * effective_root(self.moments.rows, window.rows))

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        return {
            "names": list(self.scales.names),
            "means": self.scales.means.tolist(),
            "deviations": self.scales.deviations.tolist(),
            "moments": self.moments.to_json(),
            "errors": self.errors.tolist(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Association":
        """What `to_json` made.

        Raises:
            ValueError: its parts do not fit each other.
        """
        names, errors = tuple(document["names"]), np.array(document["errors"], dtype=np.float64)
        means, deviations = (np.array(document[key], dtype=np.float64) for key in ("means", "deviations"))
        features = len(names)
        if (means.shape, deviations.shape, errors.shape) != ((features,), (features,), (features, features)):
            raise ValueError("the parts of the correlations do not fit each other")
        moments = Moments.from_json(document["moments"], features)
        return cls(Scales(names, means, deviations), moments, errors)


def correlations(moments: Moments) -> Values:
    """Pearson's, of each pair, shape (features, features); 0 where a feature is constant."""
    deviation = deviations(moments)
    return _quotient(_covariances(moments), np.multiply.outer(deviation, deviation))


def deviations(moments: Moments) -> Values:
    """Each feature's standard deviation, of scores, shape (features,)."""
    return np.asarray(np.sqrt(np.maximum(_covariances(moments).diagonal(), 0.0)))


def _covariances(moments: Moments) -> Values:
    mean = moments.sums / moments.rows
    return np.asarray(moments.products / moments.rows - np.multiply.outer(mean, mean))


def pair_correlations(weights: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> Values:
    """Pearson's, of each pair of features, in rows of which each counts with its weight.

    Args:
        weights: Shape (draws, rows).
        scores: Shape (features, rows).

    Returns:
        Shape (draws, pairs), in the order of `numpy.triu_indices`.
    """
    first, second = np.triu_indices(len(scores), k=1)
    total = weights.sum(axis=1, keepdims=True)
    mean, square, product = (weights @ each.T / total for each in (scores, scores**2, scores[first] * scores[second]))
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return _quotient(product - mean[:, first] * mean[:, second], deviation[:, first] * deviation[:, second])


def pair_errors(scores: Numbers, shares: Values | None = None) -> Values:
    """The standard deviation of a row's influence on each pair's correlation, shape (pairs,).

    Args:
        scores: Shape (features, rows).
        shares: What share of all rows each row stands for, shape (rows,); equal shares if there are none.
    """
    shares = np.full(scores.shape[1], 1 / scores.shape[1]) if shares is None else shares / shares.sum()
    squares = [(influences**2) @ shares for influences in _influences(scores, shares)]
    return np.asarray(np.maximum(np.sqrt(np.concatenate(squares)), SMALLEST_ERROR))


def greatest_influence(scores: Numbers) -> Values:
    """Each row's largest influence on any pair's correlation, in the pair's standard errors, shape (rows,)."""
    shares, greatest = np.full(scores.shape[1], 1 / scores.shape[1]), np.zeros(scores.shape[1])
    for influences in _influences(scores, shares):
        errors = np.maximum(np.sqrt((influences**2) @ shares), SMALLEST_ERROR)
        greatest = np.maximum(greatest, (np.abs(influences) / errors[:, None]).max(axis=0))
    return greatest


def _influences(scores: Numbers, shares: Values) -> Iterator[Values]:
    """Of each row on each pair's correlation, by the pair's first feature, shape (pairs, rows); their mean is 0."""
    centred = scores - (scores @ shares)[:, None]
    standard = _quotient(centred, np.sqrt((centred**2) @ shares)[:, None] + np.zeros_like(centred))
    for place, one in enumerate(standard[:-1]):
        others = standard[place + 1 :]
        r = (others * one) @ shares
        yield one * others - r[:, None] * (one**2 + others**2) / 2


def effective_root(baseline_rows: int, rows: int) -> float:
    """What a difference of the two sides, in standard errors of one row, is multiplied with to be in its own."""
    return float((1 / baseline_rows + 1 / rows) ** -0.5)


def numbers(rows: pl.DataFrame, names: Sequence[str]) -> list[Numbers]:
    """The named columns as numbers, NaN where a value is missing."""
    return [rows[name].cast(pl.Float64).to_numpy() for name in names]


def _quotient(numerator: Values, denominator: Values) -> Values:
    return np.asarray(np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0))


def _square(pairs: Values, features: int) -> Values:
    """Pairs as a symmetric matrix, with 1 on the diagonal."""
    square, (first, second) = np.ones((features, features)), np.triu_indices(features, k=1)
    square[first, second] = square[second, first] = pairs
    return square
