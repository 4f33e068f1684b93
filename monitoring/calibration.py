"""Thresholds that mean something: from what chance alone does to windows of this size.

A fixed threshold alarms on small windows by noise and sleeps through small shifts in large ones. Here a baseline and a
window without any drift are drawn anew, many times; the thresholds are such that in a chosen share of the draws any
feature, or what all of them do together, reach their own.

What a feature does alone is drawn from its counts, rare categories and all; what features do together, from the
baseline's sample of whole rows.
Sources: Westfall and Young, Resampling-based multiple testing (1993), for the distribution of the maximum; Good, The
population frequencies of species and the estimation of population parameters (1953), for what was never seen; Robbins,
Estimating the total probability of the unobserved outcomes of an experiment (1968), for how well that is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np

from monitoring.bins import NEW, RARE, CategoricalBins
from monitoring.contract import CORRELATION, LOCATION
from monitoring.correlation import effective_root
from monitoring.draws import multinomial
from monitoring.location import Location
from monitoring.profile import Distribution
from monitoring.sample import Sample
from monitoring.statistics import Statistic
from monitoring.statistics.psi import PSEUDO_COUNT
from monitoring.statistics.statistic import Values
from monitoring.threads import PROCESSORS, side_by_side

DRAWS: Final = 4000
DRAWS_TOGETHER: Final = 2000
"""The rate that is met is within a percentage point of one of 5 %, nineteen times in twenty."""
SEED: Final = 20130101
"""The same window is judged alike each time."""
WEIGHTS: Final = {CORRELATION: 0.3, LOCATION: 1.0}
"""Each alarms at so many times the features' rate: a change of correlations is far beyond chance where there is one."""
MARGIN: Final = 1e-9
"""Rounding is no drift, for a feature that is constant too."""


@dataclass(frozen=True)
class Thresholds:
    """From where on there is drift.

    Attributes:
        features: One a feature.
        correlation: Of the largest change of any pair's correlation, in standard errors; None where none is looked at.
        location: Of how far all means moved together, in standard errors; None where that is not looked at.
    """

    features: tuple[float, ...]
    correlation: float | None = None
    location: float | None = None


def calibrated_thresholds(
    baselines: Sequence[Distribution],
    statistics: Sequence[Statistic],
    rows: int,
    false_alarm_rate: float,
    *,
    sample: Sample | None = None,
    correlation: bool = False,
    location: Location | None = None,
) -> Thresholds:
    """The thresholds for windows of `rows` rows.

    Args:
        baselines: Each feature's counts in the baseline.
        statistics: Each feature's statistic.
        rows: Rows in the window.
        false_alarm_rate: The share of windows without drift in which anything reaches its threshold.
        sample: Rows of the baseline; without it features are taken to move by chance independently of each other.
        correlation: Whether correlations are looked at too, for which there must be a sample.
        location: Where the means lie, if they are looked at together too, for which there must be a sample.

    Returns:
        Thresholds above 0.
    """
    generator = np.random.default_rng(SEED)
    each = [*zip(baselines, statistics, generator.spawn(len(baselines)), strict=True)]
    alone = np.stack([*side_by_side(lambda one: _by_chance(*one, rows=rows), each, threads=PROCESSORS)])
    if sample is None:
        return Thresholds(_of_features(alone, alone, false_alarm_rate))
    sides = zip((baselines[0].rows, rows), repeat(DRAWS_TOGETHER), generator.spawn(2), strict=False)
    then, now = side_by_side(lambda side: sample.windows(*side), sides, threads=PROCESSORS)
    bins = [len(each.counts) for each in baselines]
    drawn = side_by_side(lambda side: sample.counts(side, bins), (then, now), threads=PROCESSORS)
    together = np.stack([each.compute(*sides) for each, *sides in zip(statistics, *drawn, strict=True)])
    beside: dict[str, Values] = {}
    if correlation:
        beside[CORRELATION] = sample.correlation_changes(then, now) * effective_root(baselines[0].rows, rows)
    if location is not None:
        beside[LOCATION] = location.distance(sample.mean_changes(then, now), rows)
    kinds = [
        (_in_their_quantiles(together, false_alarm_rate), 1.0),
        *((each, WEIGHTS[kind]) for kind, each in beside.items()),
    ]
    rate = _rate_of_each(kinds, false_alarm_rate)
    thresholds = {kind: float(np.quantile(each, 1 - WEIGHTS[kind] * rate)) + MARGIN for kind, each in beside.items()}
    return Thresholds(_of_features(alone, together, rate), thresholds.get(CORRELATION), thresholds.get(LOCATION))


def _of_features(alone: Values, together: Values, rate: float) -> tuple[float, ...]:
    """What any feature reaches in this share of the draws; both of shape (features, draws)."""
    own = np.quantile(alone, 1 - rate, axis=1)
    margin = np.quantile(_in_their_quantiles(together, rate), 1 - rate)
    return tuple(((own + MARGIN) * margin + MARGIN).tolist())


def _in_their_quantiles(draws: Values, rate: float) -> Values:
    """The feature that is largest beside what it alone reaches at this rate, by draw, shape (draws,)."""
    own = np.quantile(draws, 1 - rate, axis=1, keepdims=True) + MARGIN
    return np.asarray((draws / own).max(axis=0))


def _rate_of_each(kinds: Sequence[tuple[Values, float]], rate: float) -> float:
    """What each kind of alarm, times its weight, is raised at, if any of them is to be in a share of the draws."""
    ranks = [(np.argsort(np.argsort(-draws, kind="stable"), kind="stable") + 1) / weight for draws, weight in kinds]
    return float(np.quantile(np.minimum.reduce(ranks) / len(ranks[0]), rate))


def _by_chance(baseline: Distribution, statistic: Statistic, generator: np.random.Generator, *, rows: int) -> Values:
    """The statistic between baselines and windows without drift, shape (DRAWS,)."""
    # What the baseline has not seen may still be there: its empty bins are given a chance.
    expected = baseline.counts + PSEUDO_COUNT
    unseen = 0.0
    if isinstance(baseline.bins, CategoricalBins):
        unseen = max(baseline.bins.once, PSEUDO_COUNT)
        # To the baseline, what it has seen once is rare, and not new.
        expected[RARE], expected[NEW] = expected[RARE] + unseen, 0
    then, now = (multinomial(generator, side, expected / expected.sum(), DRAWS) for side in (baseline.rows, rows))
    if unseen:
        # How much a baseline has not seen differs from how much it saw once, with the variance of that and of twice
        # what it saw twice, which is about half as much. A window as large as the baseline tells the difference.
        new = generator.gamma(unseen / 2, 2, size=DRAWS) / expected[RARE]
        now[:, NEW] = generator.binomial(now[:, RARE], np.minimum(new, 1))
        now[:, RARE] -= now[:, NEW]
    return statistic.compute(then, now)
