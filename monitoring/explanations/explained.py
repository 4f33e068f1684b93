"""A window's sample explained, beside what the training rows were explained by."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.explanations.attribution import DRIFTED_BELOW, Attribution, mean_absolute, ranking_agreement
from monitoring.explanations.sample import Sample
from monitoring.scoring import matrix
from serving.core.booster import Matrix
from serving.core.errors import InputError
from serving.core.predictor import Predictor


def attribution(predictor: Predictor, rows: Matrix) -> Attribution | None:
    """Of rows as the model's matrix; None of no rows, or where the kind of model has no exact contributions."""
    try:
        return Attribution(len(rows), mean_absolute(predictor.contributions(rows))) if len(rows) else None
    except InputError:
        return None


class Sampler:
    """Takes the rows of a window that are to be explained, and explains them; for any number of threads."""

    def __init__(self, predictor: Predictor, most: int) -> None:
        self._predictor, self._most = predictor, most

    @property
    def model_sha256(self) -> str:
        """Of the model file that explains."""
        return self._predictor.signature.model_sha256

    def take(self, rows: pl.DataFrame) -> Sample:
        """As many of these rows (a column an input) as may be explained."""
        return Sample.of(rows, self._most, lambda chosen: matrix(chosen, self._predictor.signature))

    def explain(self, sample: Sample | None, baseline: Attribution | None) -> "ExplanationDrift | None":
        """Hold a window's sample against the baseline; None where either has nothing to explain."""
        current = attribution(self._predictor, sample.rows) if sample is not None else None
        if baseline is None or current is None:
            return None
        return ExplanationDrift(self._predictor.signature.names, baseline, current)


@dataclass(frozen=True)
class ExplanationDrift:
    """How what the model goes by has changed.

    Attributes:
        names: The inputs.
        baseline: Their contributions to scores of training rows.
        current: To scores of the window's sample.
    """

    names: tuple[str, ...]
    baseline: Attribution
    current: Attribution

    @property
    def agreement(self) -> float:
        """Of the two orders of inputs, 1 where they are the same."""
        return ranking_agreement(self.baseline.mean_absolute, self.current.mean_absolute)

    @property
    def drifted(self) -> bool:
        """Whether the orders agree less than is customary."""
        return self.agreement < DRIFTED_BELOW

    def by_name(self) -> list[tuple[str, float, float]]:
        """(input, contribution in training, now), the one that matters most now first."""
        columns = zip(
            self.names, self.baseline.mean_absolute.tolist(), self.current.mean_absolute.tolist(), strict=True
        )
        return sorted(columns, key=lambda column: -column[2])

    def to_json(self) -> dict[str, Any]:
        """As `drift_report.json` holds it."""
        return {
            "rows": self.current.rows,
            "ranking_agreement": self.agreement,
            "threshold": DRIFTED_BELOW,
            "drifted": self.drifted,
            "mean_absolute": [{"name": name, "baseline": then, "current": now} for name, then, now in self.by_name()],
        }
