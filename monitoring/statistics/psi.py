"""Population stability index.

Sources: Siddiqi, Credit Risk Scorecards (2006), chapter 9, for the index and its rule of thumb (below 0.1 no change,
0.1 to 0.25 some, above 0.25 a shift); Yurdakul and Naranjo, Statistical properties of the population stability index
(2020), for its expectation without any shift, about (bins - 1) * (1 / baseline rows + 1 / window rows).
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Statistic, Values, same_bins, shares

PSEUDO_COUNT: Final = 0.5
"""Added to every bin of both sides (Jeffreys' prior): an empty bin has no logarithm.

Against a fixed floor on shares it fades as rows grow, and does not make small windows look certain of an absence.
"""


def psi(baseline: Counts, current: Counts, pseudo_count: float = PSEUDO_COUNT) -> Values:
    """The sum over bins of (current share - baseline share) * ln(current share / baseline share).

    Args:
        baseline: Rows in each bin, shape (…, bins).
        current: Rows in each bin of the same bins, shape (…, bins).
        pseudo_count: What is added to each bin before shares are taken; 0 gives the plain index, which is infinite
            where just one side of a bin is empty.

    Returns:
        The index, in nats, shape (…): 0 when the shares are equal, symmetric in its two sides, never negative.

    Raises:
        ValueError: the bins differ in number, or a side is empty and there is no pseudo-count.
    """
    same_bins(baseline, current)
    expected, actual = shares(baseline, pseudo_count), shares(current, pseudo_count)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (actual - expected) * np.log(actual / expected)
    return np.asarray(np.where(actual == expected, 0.0, terms).sum(axis=-1))


PSI: Final = Statistic(
    name="psi",
    title="population stability index",
    feature_types=frozenset({"numeric", "categorical"}),
    compute=psi,
)
