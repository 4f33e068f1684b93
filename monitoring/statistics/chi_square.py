"""Chi-square distance: Pearson's two-sample statistic, freed of the numbers of rows.

Sources: Pearson, On the criterion that a given system of deviations … (1900); Greenwood and Nikulin, A guide to
chi-squared testing (1996), for two samples. Without any shift its expectation is about
(bins - 1) * (1 / baseline rows + 1 / window rows), like that of the population stability index.
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins, shares


def chi_square(baseline: Counts, current: Counts) -> Values:
    """The sum over bins of (current share - baseline share)² / the share of both sides' rows together.

    Times `1 / (1 / baseline rows + 1 / window rows)` it is the statistic of the chi-square test of homogeneity.

    Args:
        baseline: Rows in each bin, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        The distance, shape (…): 0 when the shares are equal, symmetric. A bin that is empty on both sides adds nothing.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    difference, pooled = shares(current) - shares(baseline), shares(baseline + current)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = difference**2 / pooled
    return np.asarray(np.where(pooled > 0, terms, 0.0).sum(axis=-1))


CHI_SQUARE: Final = Statistic(
    name="chi-square",
    title="chi-square distance",
    feature_types=frozenset({"numeric", "categorical"}),
    compute=chi_square,
)
