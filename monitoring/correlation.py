"""Drift that no single feature shows: the correlations of the numeric features, all pairs at once.

The statistic is the largest change of any pair's correlation, in standard errors; its threshold is what chance alone
reaches in windows of this size, found by drawing windows from the baseline's own rows when the baseline is made.
Sources: Steiger, Tests for comparing elements of a correlation matrix (1980); Hampel, The influence curve and its role
in robust estimation (1974), for the standard errors of correlations of any distribution; Westfall and Young,
Resampling-based multiple testing (1993), for the distribution of the maximum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from monitoring.bins import Numbers
from monitoring.contract import CORRELATION
from monitoring.moments import Moments, Scales
from monitoring.statistics.statistic import Values

SHOWN: Final = 5
"""So many pairs are reported."""
SAMPLE_ROWS: Final = 4000
"""Rows of the baseline that windows are drawn from."""
DRAWS: Final = 1000
SIZES: Final = (250, 2_000, 16_000)
"""Rows of the windows drawn; between them thresholds are interpolated, and beyond them taken as at the end."""
RATES: Final = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.075, 0.05, 0.035, 0.025, 0.02, 0.015, 0.01, 0.005, 0.002)
"""Shares of windows without drift that reach the threshold."""
MOST_FEATURES: Final = 64
"""With more numeric features than this, pairs are too many to draw for."""
SMALLEST_ERROR: Final = 0.02
"""Pairs that move as one have next to no error: a rounding must not be taken for a change."""
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
class CorrelationDrift:
    """How far a window's correlations lie from the baseline's.

    Attributes:
        value: The largest change of any pair, in standard errors.
        threshold: From it on, they drifted.
        pairs: Those that changed most, furthest first.
    """

    value: float
    threshold: float
    pairs: tuple[Pair, ...]

    @property
    def ratio(self) -> float:
        """The statistic in thresholds."""
        return self.value / self.threshold

    @property
    def drifted(self) -> bool:
        """Whether the statistic reaches the threshold."""
        return self.value >= self.threshold

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
        thresholds: Shape (SIZES, RATES): what the statistic reaches by chance.
    """

    scales: Scales
    moments: Moments
    errors: Values
    thresholds: Values

    @classmethod
    def fit(cls, names: Sequence[str], columns: Sequence[Numbers]) -> "Association | None":
        """Of the baseline's numeric columns; None where there are no pairs, or more than can be drawn for."""
        if not 2 <= len(names) <= MOST_FEATURES or not len(columns[0]):  # noqa: PLR2004 - a pair
            return None
        scales, generator = Scales.fit(names, columns), np.random.default_rng(SEED)
        rows = len(columns[0])
        chosen = generator.choice(rows, min(rows, SAMPLE_ROWS), replace=False)
        scores = scales.scores([column[chosen] for column in columns])
        errors = _errors(scores)
        return cls(scales, Moments.of(scales, columns), errors, _thresholds(scores, errors, generator))

    def compare(self, window: Moments, false_alarm_rate: float) -> "CorrelationDrift":
        """Hold a window against the baseline, for a chosen share of windows without drift that raise the alarm."""
        changes, then, now = self.changes(window), correlations(self.moments), correlations(window)
        first, second = np.triu_indices(len(changes), k=1)
        furthest = np.argsort(-changes[first, second], kind="stable")[:SHOWN]
        pairs = tuple(
            Pair(self.scales.names[one], self.scales.names[other], float(then[one, other]), float(now[one, other]))
            for one, other in zip(first[furthest], second[furthest], strict=True)
        )
        return CorrelationDrift(float(changes.max()), self.threshold(window, false_alarm_rate), pairs)

    def changes(self, window: Moments) -> Values:
        """Each pair's change of correlation, in standard errors, shape (features, features), 0 on the diagonal."""
        change = np.abs(correlations(window) - correlations(self.moments)) / self.errors
        np.fill_diagonal(change, 0.0)
        return np.asarray(change * np.sqrt(self._effective(window)))

    def threshold(self, window: Moments, false_alarm_rate: float) -> float:
        """What the largest change reaches in this share of windows without drift."""
        at_rate = [np.interp(np.log(false_alarm_rate), np.log(RATES[::-1]), row[::-1]) for row in self.thresholds]
        return float(np.interp(np.log(self._effective(window)), np.log(SIZES), at_rate))

    def _effective(self, window: Moments) -> float:
        return 1 / (1 / window.rows + 1 / self.moments.rows)

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        return {
            "names": list(self.scales.names),
            "means": self.scales.means.tolist(),
            "deviations": self.scales.deviations.tolist(),
            "moments": self.moments.to_json(),
            "errors": self.errors.tolist(),
            "thresholds": self.thresholds.tolist(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Association":
        """What `to_json` made.

        Raises:
            ValueError: its parts do not fit each other.
        """
        names, errors = tuple(document["names"]), np.array(document["errors"], dtype=np.float64)
        means, deviations = (np.array(document[key], dtype=np.float64) for key in ("means", "deviations"))
        thresholds = np.array(document["thresholds"], dtype=np.float64)
        features = len(names)
        shapes = (means.shape, deviations.shape, errors.shape, thresholds.shape)
        if shapes != ((features,), (features,), (features, features), (len(SIZES), len(RATES))):
            raise ValueError("the parts of the correlations do not fit each other")
        moments = Moments.from_json(document["moments"], features)
        return cls(Scales(names, means, deviations), moments, errors, thresholds)


def correlations(moments: Moments) -> Values:
    """Pearson's, of each pair, shape (features, features); 0 where a feature is constant."""
    mean = moments.sums / moments.rows
    return _correlations(moments.products / moments.rows - np.multiply.outer(mean, mean))


def _correlations(covariance: Values) -> Values:
    deviation = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0))
    both = deviation[..., :, None] * deviation[..., None, :]
    return np.asarray(np.divide(covariance, both, out=np.zeros_like(covariance), where=both > 0))


def _errors(scores: Numbers) -> Values:
    """The standard deviation of each pair's influence on its correlation, shape (features, features)."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    standard = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    errors = np.empty((len(scores), len(scores)))
    for place, one in enumerate(standard):
        r = (standard @ one) / scores.shape[1]
        errors[place] = (one * standard - r[:, None] * (one**2 + standard**2) / 2).std(axis=1)
    return np.maximum(errors, SMALLEST_ERROR)


def _thresholds(scores: Numbers, errors: Values, generator: np.random.Generator) -> Values:
    """What the largest change reaches in windows drawn from the sample, shape (SIZES, RATES)."""
    features, rows = scores.shape
    first, second = np.triu_indices(features)
    moments = np.vstack([scores, scores[first] * scores[second]])
    true = _correlations(np.cov(scores, bias=True))
    found = []
    for size in SIZES:
        drawn = generator.multinomial(size, np.full(rows, 1 / rows), size=DRAWS) @ moments.T / size
        products = np.empty((DRAWS, features, features))
        products[:, first, second] = products[:, second, first] = drawn[:, features:]
        means = drawn[:, :features]
        change = np.abs(_correlations(products - means[:, :, None] * means[:, None, :]) - true) / errors
        diagonal = np.arange(features)
        change[:, diagonal, diagonal] = 0.0
        found.append(np.quantile(change.max(axis=(1, 2)) * np.sqrt(size), 1 - np.array(RATES)))
    return np.array(found)
