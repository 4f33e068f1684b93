"""How good the model was, from labels that came later; and how good it seems while there are none.

Sources: DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated ROC curves (1988), for the
AUC's standard error; Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning
(2015), for the calibration error; Białek et al., Estimating model performance under covariate shift without labels
(2024), for the confidence-based estimate; Casella and Berger, Statistical inference (2002), for the delta method.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Vector = npt.NDArray[np.float64]
Z: Final = 1.959964
"""Standard errors to either side that hold 95 %."""
CALIBRATION_BINS: Final = 10
DRAWS: Final = 1000
SEED: Final = 20130101
SMALLEST: Final = 1e-15
"""A certain answer that was wrong costs -ln of this, not infinity."""


@dataclass(frozen=True)
class Measured:
    """A metric's value, and the interval that holds the true one 95 times in 100."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """As `quality_report.json` holds it."""
        return {"value": self.value, "low": self.low, "high": self.high}


def classification(labels: Vector, scores: Vector, threshold: float = 0.5) -> dict[str, Measured]:
    """AUC, log loss, calibration error and F1 of a binary classifier.

    There is no AUC where all labels are one, and no F1 where nothing is positive, in truth or in the answers.

    Args:
        labels: 0 or 1, shape (rows,).
        scores: Probabilities of 1, shape (rows,).
        threshold: From this score on, the answer is 1.
    """
    found = {"auc": auc(labels, scores)} if 0 < labels.sum() < len(labels) else {}
    found |= {"log_loss": _mean(_log_losses(labels, scores)), "calibration_error": calibration_error(labels, scores)}
    return found | ({"f1": f1(labels, scores, threshold)} if (labels + (scores >= threshold)).any() else {})


def f1(labels: Vector, scores: Vector, threshold: float) -> Measured:
    """The harmonic mean of precision and recall; its error by the delta method, as a ratio of two sums over rows."""
    answers = (scores >= threshold).astype(np.float64)
    # 2 · true positives / (answered 1 + labelled 1); a row's influence on it is what the row adds beyond its share.
    positives = labels + answers
    value = float(2 * (labels * answers).sum() / positives.sum())
    error = Z * math.sqrt(_squared_error((2 * labels * answers - value * positives) / positives.mean()))
    return Measured(value, max(0.0, value - error), min(1.0, value + error))


def regression(labels: Vector, scores: Vector) -> dict[str, Measured]:
    """RMSE and MAE, shape of both (rows,)."""
    squared = _mean((scores - labels) ** 2)
    root = Measured(*(math.sqrt(max(0.0, each)) for each in (squared.value, squared.low, squared.high)))
    return {"rmse": root, "mae": _mean(np.abs(scores - labels))}


def auc(labels: Vector, scores: Vector) -> Measured:
    """The share of pairs of a positive and a negative that the scores put in order, ties counting half."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    everywhere = rankdata(np.concatenate([positive, negative]))
    above = (everywhere[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (everywhere[len(positive) :] - rankdata(negative)) / len(positive)
    value = float(above.mean())
    error = Z * math.sqrt(_squared_error(above) + _squared_error(below))
    return Measured(value, max(0.0, value - error), min(1.0, value + error))


def calibration_error(labels: Vector, scores: Vector) -> Measured:
    """The mean distance of score and share of positives, over tenths of the rows by score.

    By chance alone it is a little above 0. The interval is of redrawn labels, bin by bin.
    """
    parts = [part for part in np.array_split(np.argsort(scores, kind="stable"), CALIBRATION_BINS) if part.size]
    rows = np.array([part.size for part in parts])
    said = np.array([scores[part].mean() for part in parts])
    share = np.array([labels[part].mean() for part in parts])
    drawn = np.random.default_rng(SEED).binomial(rows, share, size=(DRAWS, len(parts))) / rows
    low, high = np.quantile((np.abs(drawn - said) * rows).sum(axis=1) / rows.sum(), [0.025, 0.975])
    value = float((np.abs(share - said) * rows).sum() / rows.sum())
    return Measured(value, min(value, float(low)), max(value, float(high)))


def estimate(scores: Vector, threshold: float = 0.5) -> dict[str, float]:
    """What AUC, log loss and F1 would be if the scores were calibrated, without a label.

    There is no AUC where all scores are one, and no F1 where all are 0.

    Args:
        scores: Probabilities of 1, shape (rows,).
        threshold: From this score on, the answer is 1.
    """
    answers = scores >= threshold
    positives = float(scores.sum() + answers.sum())
    expected = {"f1": float(2 * scores[answers].sum() / positives)} if positives else {}
    ordered, rows = np.unique(scores, return_counts=True)
    positive, negative = ordered * rows, (1 - ordered) * rows
    entropy = float(_log_losses(scores, scores).mean())
    pairs = positive.sum() * negative.sum()
    if len(ordered) == 1 or pairs == 0:
        return {"log_loss": entropy, **expected}
    below = negative.cumsum() - negative / 2
    return {"auc": float((positive * below).sum() / pairs), "log_loss": entropy, **expected}


def _log_losses(labels: Vector, scores: Vector) -> Vector:
    clipped = np.clip(scores, SMALLEST, 1 - SMALLEST)
    return np.asarray(-(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))


def _mean(values: Vector) -> Measured:
    value, error = float(values.mean()), Z * math.sqrt(_squared_error(values))
    return Measured(value, value - error, value + error)


def _squared_error(values: Vector) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
