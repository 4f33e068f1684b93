"""How good scores are, in numpy alone: each metric a pure function of labels and scores.

Labels and scores are float64 vectors of one length; labels of a classification are 0 or 1, its scores probabilities.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.contract import METRICS, Problem

Vector = NDArray[np.float64]
Metric = Callable[[Vector, Vector], float]

RESAMPLES: Final = 200
_SEED: Final = 20130101
_SMALLEST: Final = 1e-15
"""Keeps the logarithm of a certain but wrong prediction finite."""


def auc(labels: Vector, scores: Vector) -> float:
    """Probability that a random 1 scores above a random 0, ties counting half; NaN if there is only one label."""
    values, codes = np.unique(scores, return_inverse=True)
    ones = np.bincount(codes, weights=labels, minlength=len(values))
    zeros = np.bincount(codes, weights=1 - labels, minlength=len(values))
    pairs = ones.sum() * zeros.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + zeros / 2)).sum() / pairs)


def log_loss(labels: Vector, scores: Vector) -> float:
    """Mean negative log-likelihood, in nats."""
    sure = np.clip(scores, _SMALLEST, 1 - _SMALLEST)
    return float(-np.mean(labels * np.log(sure) + (1 - labels) * np.log1p(-sure)))


def accuracy(labels: Vector, scores: Vector, threshold: float = 0.5) -> float:
    """Share of rows whose label is the one at `threshold` (a score that reaches it is a 1)."""
    return float(np.mean((scores >= threshold) == (labels == 1)))


def rmse(labels: Vector, scores: Vector) -> float:
    """Root of the mean squared error, in the label's unit."""
    return float(np.sqrt(np.mean((labels - scores) ** 2)))


def mae(labels: Vector, scores: Vector) -> float:
    """Mean absolute error, in the label's unit."""
    return float(np.mean(np.abs(labels - scores)))


def functions(problem: Problem, threshold: float) -> dict[str, Metric]:
    """The metrics of a problem by name, with the threshold bound where one is needed."""
    known: dict[str, Metric] = {
        "auc": auc,
        "log_loss": log_loss,
        "accuracy": partial(accuracy, threshold=threshold),
        "rmse": rmse,
        "mae": mae,
    }
    return {name: known[name] for name in METRICS[problem]}


def standard_deviation(metric: Metric, labels: Vector, scores: Vector) -> float:
    """The metric's standard deviation over 200 bootstrap resamples of the rows, the same in every run."""
    random = np.random.default_rng(_SEED)
    drawn = (random.integers(len(labels), size=len(labels)) for _ in range(RESAMPLES))
    return float(np.nanstd([metric(labels[rows], scores[rows]) for rows in drawn]))
