"""The largest component: did values move, spread, go missing, or change their shape in any other way?

A distance of whole distributions divides its power among everything that may happen; one question at a time sees the
shifts that do happen, of location and of scale, with a fraction of the rows.
Sources: Best and Rayner, Nonparametric analysis for doubly ordered two-way contingency tables (1996), for the
components of Pearson's statistic; Lehmann, Nonparametrics (1975), chapters 1 and 2, for ranks with ties, location
(Wilcoxon) and spread (Mood).
"""

from typing import Final

import numpy as np

from monitoring.statistics.deviance import each_deviance, together
from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins


def largest_component(baseline: Counts, current: Counts) -> Values:
    """The furthest, in standard errors, of: location and spread of the ranks, missing values, and the whole shape.

    Args:
        baseline: Rows in each bin, in the order of the values, missing last, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        Standard errors, shape (…): 0 when the shares are equal, symmetric. It grows with the rows.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    missing = each_deviance(baseline, current)[..., -1]
    then, now = baseline[..., :-1], current[..., :-1]
    parts = (*rank_components(then, now), missing, together(then, now))
    return np.asarray(np.maximum.reduce(parts))


def rank_components(baseline: Counts, current: Counts) -> tuple[Values, Values]:
    """How far location and spread of the known values moved, in standard errors, each of shape (…).

    Rows of a bin share its middle rank. What the spread of skewed bins says of location is taken out of it.
    """
    pooled = baseline + current
    weight = pooled / np.maximum(pooled.sum(axis=-1, keepdims=True), 1)
    rank = weight.cumsum(axis=-1) - weight / 2 - 0.5
    square = rank**2 - (weight * rank**2).sum(axis=-1, keepdims=True)
    variance = (weight * rank**2).sum(axis=-1, keepdims=True)
    slope = np.divide(
        (weight * rank * square).sum(axis=-1, keepdims=True), variance, out=np.zeros_like(variance), where=variance > 0
    )
    return _moved(baseline, current, weight, rank), _moved(baseline, current, weight, square - slope * rank)


def _moved(baseline: Counts, current: Counts, weight: Values, score: Values) -> Values:
    """The change of the mean score, in its standard errors under permutation of the rows."""
    then, now = baseline.sum(axis=-1), current.sum(axis=-1)
    known = (then > 0) & (now > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (current * score).sum(axis=-1) / now - (baseline * score).sum(axis=-1) / then
        error = np.sqrt((weight * score**2).sum(axis=-1) * (1 / then + 1 / now))
        return np.asarray(np.where(known & (error > _ROUNDING), np.abs(change) / error, 0.0))


_ROUNDING: Final = 1e-12
"""Scores that are all the same, but for rounding, cannot move."""

COMPONENTS: Final = Statistic(
    name="components",
    title="largest component, in standard errors",
    feature_types=frozenset({"numeric"}),
    compute=largest_component,
)
