"""Thresholds that mean something: from what chance alone does to windows of this size.

A fixed threshold alarms on small windows by noise and sleeps through small shifts in large ones. Here the baseline's
counts are drawn anew, many times, as a baseline and a window without any drift; the thresholds are such that in a
chosen share of those windows any feature reaches its own.
Source: Westfall and Young, Resampling-based multiple testing (1993), for the distribution of the maximum.
Features are drawn independently of each other; where they move together, false alarms are rarer than chosen.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitoring.profile import Distribution
from monitoring.statistics import Statistic
from monitoring.statistics.psi import PSEUDO_COUNT
from monitoring.statistics.statistic import Counts, Values, shares

DRAWS: Final = 4000
"""The rate that is met is within 0.7 percentage points of one of 5 %, nineteen times in twenty."""
SEED: Final = 20130101
"""The same window is judged alike each time."""
MARGIN: Final = 1e-9
"""Rounding is no drift, for a feature that is constant too."""


def calibrated_thresholds(
    baselines: Sequence[Distribution], statistics: Sequence[Statistic], rows: int, false_alarm_rate: float
) -> list[float]:
    """The threshold of each feature, for windows of `rows` rows.

    Args:
        baselines: Each feature's counts in the baseline.
        statistics: Each feature's statistic.
        rows: Rows in the window.
        false_alarm_rate: The share of windows without drift in which at least one feature reaches its threshold.

    Returns:
        One threshold a feature, always above 0.
    """
    generator = np.random.default_rng(SEED)
    pairs = zip(baselines, statistics, strict=True)
    by_chance = np.stack([_by_chance(each.counts, statistic, rows, generator) for each, statistic in pairs])
    own = np.quantile(by_chance, 1 - false_alarm_rate, axis=1) + MARGIN
    together = np.quantile((by_chance / own[:, None]).max(axis=0), 1 - false_alarm_rate)
    return [float(threshold) for threshold in own * together + MARGIN]


def _by_chance(baseline: Counts, statistic: Statistic, rows: int, generator: np.random.Generator) -> Values:
    """The statistic between baselines and windows without drift, shape (DRAWS,)."""
    # What the baseline has not seen may still be there: its empty bins are given a chance.
    probabilities = shares(baseline, PSEUDO_COUNT)
    then = generator.multinomial(int(baseline.sum()), probabilities, size=DRAWS)
    return statistic.compute(then, generator.multinomial(rows, probabilities, size=DRAWS))
