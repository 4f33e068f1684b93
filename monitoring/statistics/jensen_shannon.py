"""Jensen-Shannon distance.

Sources: Lin, Divergence measures based on the Shannon entropy (1991), for the divergence; Endres and Schindelin, A new
metric for probability distributions (2003), for its square root being a metric.
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins, shares


def jensen_shannon(baseline: Counts, current: Counts) -> Values:
    """The root of the mean divergence, in bits, of the two distributions from the one halfway between them.

    Args:
        baseline: Rows in each bin, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).

    Returns:
        The distance, shape (…): 0 when the shares are equal, 1 when no bin is shared, symmetric.

    Raises:
        ValueError: the bins differ in number, or a side is empty.
    """
    same_bins(baseline, current)
    expected, actual = shares(baseline), shares(current)
    halfway = (expected + actual) / 2
    divergence = (_divergence(expected, halfway) + _divergence(actual, halfway)) / 2
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def _divergence(shares_: Values, halfway: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = shares_ * np.log2(shares_ / halfway)
    return np.asarray(np.where(shares_ > 0, terms, 0.0).sum(axis=-1))


JENSEN_SHANNON: Final = Statistic(
    name="jensen-shannon",
    title="Jensen-Shannon distance",
    feature_types=frozenset({"numeric", "categorical"}),
    compute=jensen_shannon,
)
