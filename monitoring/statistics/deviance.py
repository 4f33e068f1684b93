"""The largest deviance: which category's share moved by more than chance, or whether all of them did a little.

Sources: Wilks, The large-sample distribution of the likelihood ratio (1938); Barndorff-Nielsen, Inference on full or
partial parameters based on the standardized signed log likelihood ratio (1986), for its root being normal far into the
tail, where a category was never seen before; Wilson and Hilferty, The distribution of chi-square (1931).
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, rows_of, same_bins


def largest_deviance(baseline: Counts, current: Counts) -> Values:
    """The furthest, in standard errors, of: each bin's share alone, and all of them together.

    Args:
        baseline: Rows in each bin, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        Standard errors, shape (…): 0 when the shares are equal, symmetric. It grows with the rows.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    return np.asarray(np.maximum(each_deviance(baseline, current).max(axis=-1), together(baseline, current)))


def each_deviance(baseline: Counts, current: Counts) -> Values:
    """How far each bin's share moved, in standard errors, shape (…, bins): the root of its likelihood ratio's."""
    then, now = rows_of(baseline), rows_of(current)
    pooled = (baseline + current) / (then + now)
    inside = _information(baseline, then * pooled) + _information(current, now * pooled)
    outside = _information(then - baseline, then * (1 - pooled)) + _information(now - current, now * (1 - pooled))
    return np.asarray(np.sqrt(np.maximum(2 * (inside + outside), 0.0)))


def together(baseline: Counts, current: Counts) -> Values:
    """How far all shares moved at once, in standard errors, shape (…); 0 where they moved less than chance moves them.

    The likelihood ratio's statistic of homogeneity, brought to the scale of one normal number; 0 where a side is empty.
    """
    then, now = (side.sum(axis=-1, keepdims=True) for side in (baseline, current))
    pooled = (baseline + current) / np.maximum(then + now, 1)
    twice = 2 * (_information(baseline, then * pooled) + _information(current, now * pooled)).sum(axis=-1)
    freedom = np.maximum((pooled > 0).sum(axis=-1) - 1, 1)
    spread = 2 / (9 * freedom)
    return np.asarray(np.maximum((np.cbrt(np.maximum(twice, 0.0) / freedom) - 1 + spread) / np.sqrt(spread), 0.0))


def _information(observed: Counts | Values, expected: Values) -> Values:
    """What observing a count says against its expectation, which over all counts add up: never negative, 0 if equal."""
    difference = observed - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        # Not log(observed / expected): where the two are equal but for rounding, its root would not be small.
        logs = np.where(observed > 0, observed * np.log1p(difference / expected), 0.0)
    return np.asarray(logs - difference)


DEVIANCE: Final = Statistic(
    name="deviance",
    title="largest deviance, in standard errors",
    feature_types=frozenset({"categorical"}),
    compute=largest_deviance,
)
