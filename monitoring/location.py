"""Drift of a feature against its fellows, or of many by a little: where the numeric features' means lie, together.

A mean that moves by a tenth of a standard deviation is lost among what chance does to it. Held against what the other
features say it should be, it stands out; so does a small move of all of them that they do not make together by chance.
The threshold is, as every feature's, what chance alone reaches in windows of this size (`monitoring.calibration`).
Sources: Hotelling, The generalization of Student's ratio (1931); Hoerl and Kennard, Ridge regression (1970), for
features that are nearly one; Wilson and Hilferty, The distribution of chi-square (1931); Hall and Jin, Innovated higher
criticism (2010), for the single feature against all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from monitoring.contract import LOCATION
from monitoring.correlation import Association, correlations, deviations, effective_root
from monitoring.moments import Moments
from monitoring.statistics.statistic import Values
from monitoring.verdict import Verdict

SHOWN: Final = 5
"""So many features are reported."""
RIDGE: Final = 0.05
"""What a feature is never known better than by its fellows: the share of its variance that they leave to it."""


@dataclass(frozen=True)
class Move:
    """A feature, and how far its mean moved from what the others' means say, in standard errors."""

    name: str
    standard_errors: float

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {"name": self.name, "standard_errors": self.standard_errors}


@dataclass(frozen=True)
class LocationDrift(Verdict):
    """How far a window's means lie from the baseline's.

    Attributes:
        value: Of all features together, in standard errors.
        threshold: From it on, they drifted.
        features: Those that moved most against the others, furthest first.
    """

    value: float
    threshold: float
    features: tuple[Move, ...]

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {
            "statistic": LOCATION,
            "value": self.value,
            "threshold": self.threshold,
            "drifted": self.drifted,
            "features": [move.to_json() for move in self.features],
        }


@dataclass(frozen=True)
class Location:
    """The baseline's means, and what moves them by chance.

    Attributes:
        names: The numeric features.
        moments: The baseline's, of their scores.
        weights: The inverse of their correlations, shape (features, features).
    """

    names: Sequence[str]
    moments: Moments
    weights: Values

    @classmethod
    def of(cls, association: Association) -> "Location":
        """What a baseline says of its features."""
        together = correlations(association.moments)
        ridged = (1 - RIDGE) * together + RIDGE * np.eye(len(together))
        return cls(association.scales.names, association.moments, np.asarray(np.linalg.inv(ridged), dtype=np.float64))

    def distance(self, change: Values, rows: int) -> Values:
        """How far all means moved, in standard errors, shape (…); 0 where they moved less than chance moves them.

        Args:
            change: Of the mean scores, shape (…, features).
            rows: Rows in the window.
        """
        moved = self._standard_errors(change, rows)
        squared = np.maximum(((moved @ self.weights) * moved).sum(axis=-1), 0.0)
        features = moved.shape[-1]
        spread = 2 / (9 * features)
        return np.asarray(np.maximum((np.cbrt(squared / features) - 1 + spread) / np.sqrt(spread), 0.0))

    def against_others(self, change: Values, rows: int) -> Values:
        """How far each mean moved from what the other means say, in standard errors, of the shape of `change`."""
        moved = self._standard_errors(change, rows) @ self.weights
        error = np.sqrt(((self.weights @ correlations(self.moments)) * self.weights).sum(axis=-1))
        return np.asarray(np.divide(moved, error, out=np.zeros_like(moved), where=error > 0))

    def compare(self, window: Moments, threshold: float) -> LocationDrift:
        """Hold a window against the baseline."""
        change = window.sums / window.rows - self.moments.sums / self.moments.rows
        against = self.against_others(change, window.rows)
        furthest = np.argsort(-np.abs(against), kind="stable")[:SHOWN]
        moves = tuple(Move(self.names[place], float(against[place])) for place in furthest)
        return LocationDrift(float(self.distance(change, window.rows)), threshold, moves)

    def _standard_errors(self, change: Values, rows: int) -> Values:
        """Each mean's own move, in its standard errors; a feature that was constant has none."""
        deviation = deviations(self.moments)
        moved = np.divide(change, deviation, out=np.zeros_like(change), where=deviation > 0)
        return np.asarray(moved * effective_root(self.moments.rows, rows))
