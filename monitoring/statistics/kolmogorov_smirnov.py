"""Kolmogorov-Smirnov distance, on the cumulative counts of frozen bins.

Source: Smirnov, Table for estimating the goodness of fit of empirical distributions (1948).
The exact distance looks between the bins' edges too. It is never smaller than this one, and larger by at most the
largest share of a bin on the side that has less of it, `max(min(baseline share, current share))`: with ten quantile
bins, by a tenth at most.
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins, shares


def kolmogorov_smirnov(baseline: Counts, current: Counts) -> Values:
    """The largest difference of the two cumulative distributions at a bin's edge.

    Missing values stand above every number, so that a feature that goes missing is seen to move.

    Args:
        baseline: Rows in each bin, in the order of the values, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        The distance, shape (…): from 0 to 1, symmetric.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    difference = shares(current).cumsum(axis=-1) - shares(baseline).cumsum(axis=-1)
    return np.asarray(np.abs(difference).max(axis=-1))


KOLMOGOROV_SMIRNOV: Final = Statistic(
    name="kolmogorov-smirnov",
    title="Kolmogorov-Smirnov distance",
    feature_types=frozenset({"numeric"}),
    compute=kolmogorov_smirnov,
)
