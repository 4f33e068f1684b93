"""Wasserstein distance, normalised: how far values moved, measured in the baseline's ranks.

Source: Ramdas, Garcia Trillos and Cuturi, On Wasserstein two-sample testing and related families (2017), section 4: the
distance after both sides went through the baseline's cumulative distribution. It has no unit, one far outlier does not
decide it, and it needs no more than counts.
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins, shares


def wasserstein(baseline: Counts, current: Counts) -> Values:
    """The area between the two cumulative distributions, over the baseline's ranks from 0 to 1.

    Within a bin, values are taken to lie evenly. Missing values stand above every number.

    Args:
        baseline: Rows in each bin, in the order of the values, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        The distance, shape (…), from 0 to 1: 0.1 says that values moved by ten of the baseline's percentiles on
        average. Not symmetric, since ranks are the baseline's.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    width = shares(baseline)
    right = (shares(current) - width).cumsum(axis=-1)
    left = np.concatenate([np.zeros_like(right[..., :1]), right[..., :-1]], axis=-1)
    return np.asarray((width * _mean_height(left, right)).sum(axis=-1))


def _mean_height(left: Values, right: Values) -> Values:
    """The mean of |y| on the straight line from `left` to `right`, which may cross zero between them."""
    same_side = np.abs(left + right) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (left**2 + right**2) / (2 * np.abs(right - left))
    return np.asarray(np.where(left * right < 0, crossing, same_side))


WASSERSTEIN: Final = Statistic(
    name="wasserstein",
    title="Wasserstein distance in the baseline's ranks",
    feature_types=frozenset({"numeric"}),
    compute=wasserstein,
)
