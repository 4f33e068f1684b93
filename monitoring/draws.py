"""Counts that chance alone gives: multinomial draws, several times as fast as NumPy's where counts are large.

A multinomial draw is a binomial one for each bin, of the rows that are left. Where a binomial's variance is large, its
quantiles are a normal number's, bent by its skewness.
Sources: Davis, The computer generation of multinomial random variates (1993); Cornish and Fisher, Moments and cumulants
in the specification of distributions (1938).
"""

from typing import Final

import numpy as np

from monitoring.statistics.statistic import Counts, Values

LARGE: Final = 400
"""From this variance on, what lies beyond three standard deviations is as likely as it should be within a hundredth."""


def multinomial(generator: np.random.Generator, rows: int, probabilities: Values, draws: int) -> Counts:
    """How many of `rows` rows fall into each bin, shape (draws, bins).

    Args:
        generator: Of random numbers.
        rows: Rows of each draw.
        probabilities: Of each bin, shape (bins,); they add up to 1.
        draws: How often.
    """
    counts, left = np.empty((len(probabilities), draws)), np.full(draws, float(rows))
    behind = probabilities[::-1].cumsum()[::-1]
    for place in range(len(probabilities) - 1):
        share = float(probabilities[place] / behind[place]) if behind[place] else 0.0
        counts[place] = _binomial(generator, left, min(share, 1.0))
        left -= counts[place]
    counts[-1] = left
    return counts.T.astype(np.int64)


def _binomial(generator: np.random.Generator, rows: Values, probability: float) -> Values | Counts:
    if rows.min() * probability * (1 - probability) < LARGE:
        return generator.binomial(rows.astype(np.int64), probability)
    normal = generator.standard_normal(len(rows))
    skew = (1 - 2 * probability) / 6
    return np.rint(
        rows * probability + normal * np.sqrt(rows * (probability * (1 - probability))) + skew * (normal * normal - 1)
    )
