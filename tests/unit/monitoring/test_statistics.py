"""Every other statistic against values worked out by hand, against scipy, and its identities."""

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from monitoring.statistics import STATISTICS
from monitoring.statistics.chi_square import chi_square
from monitoring.statistics.components import largest_component, rank_components
from monitoring.statistics.deviance import each_deviance, largest_deviance, together
from monitoring.statistics.jensen_shannon import jensen_shannon
from monitoring.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from monitoring.statistics.wasserstein import wasserstein

PAIRS = (
    st.integers(2, 12)
    .flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=n, max_size=n)] * 2))
    .filter(lambda pair: any(pair[0]) and any(pair[1]))
)
SAMPLES = st.lists(st.integers(0, 30), min_size=2, max_size=60)
every = pytest.mark.parametrize("statistic", STATISTICS.values(), ids=STATISTICS)


def counts(*values):
    return np.array(values, dtype=np.int64)


def test_jensen_shannon_equals_the_value_worked_out_by_hand():
    # Shares 1, 0 against 1/2, 1/2, halfway 3/4, 1/4: half of log2(4/3), and half of (log2(2/3) + log2(2)) / 2.
    by_hand = (math.log2(4 / 3) + (math.log2(2 / 3) + 1) / 2) / 2
    assert jensen_shannon(counts(10, 0), counts(5, 5)) == pytest.approx(math.sqrt(by_hand))


def test_kolmogorov_smirnov_equals_the_value_worked_out_by_hand():
    # Cumulative shares 0.5, 0.8, 1 against 0.2, 0.6, 1.
    assert kolmogorov_smirnov(counts(5, 3, 2), counts(2, 4, 4)) == pytest.approx(0.3)


def test_wasserstein_equals_the_values_worked_out_by_hand():
    # Everything in the upper half: ranks from 0.5 to 1 instead of from 0 to 1, each a quarter further on average.
    assert wasserstein(counts(50, 50), counts(0, 10)) == pytest.approx(0.25)
    # Both ends moved into the middle half: a half of the rows, by an eighth of the ranks.
    assert wasserstein(counts(25, 50, 25), counts(0, 10, 0)) == pytest.approx(0.125)


def test_a_feature_that_went_missing_moved_by_half_of_the_ranks():
    assert wasserstein(counts(10, 10, 0), counts(0, 0, 7)) == pytest.approx(0.5)
    assert kolmogorov_smirnov(counts(10, 10, 0), counts(0, 0, 7)) == 1


def test_chi_square_equals_the_value_worked_out_by_hand():
    # Shares 0.5, 0.5 against 0.25, 0.75 of as many rows: 0.0625 / 0.375 + 0.0625 / 0.625.
    assert chi_square(counts(50, 50), counts(25, 75)) == pytest.approx(0.0625 / 0.375 + 0.0625 / 0.625)


def test_location_equals_the_value_worked_out_by_hand():
    # Of 12 rows, 5 share the lower bin's middle rank and 7 the upper one's.
    then, now = counts(4, 4, 0), counts(1, 3, 0)
    pooled = np.array([5, 7]) / 12
    ranks = pooled.cumsum() - pooled / 2 - 0.5
    change = ranks @ [1 / 4, 3 / 4] - ranks @ [1 / 2, 1 / 2]
    error = math.sqrt((pooled * ranks**2).sum() * (1 / 8 + 1 / 4))
    location, spread = rank_components(then[:-1], now[:-1])
    assert location == pytest.approx(change / error)
    assert spread == 0


def test_deviance_of_a_bin_equals_the_value_worked_out_by_hand():
    # 10 of 100 against 1 of 100: twice the sum of observed * ln(observed / expected) over the four cells.
    cells = [(10, 5.5), (90, 94.5), (1, 5.5), (99, 94.5)]
    by_hand = math.sqrt(2 * sum(observed * math.log(observed / expected) for observed, expected in cells))
    assert each_deviance(counts(10, 90), counts(1, 99)) == pytest.approx([by_hand, by_hand])


@given(SAMPLES, SAMPLES)
def test_location_is_scipys_rank_sum(then, now):
    of = [counts(*np.bincount(values, minlength=31)) for values in (then, now)]
    location, _ = rank_components(*of)
    if len({*then, *now}) > 1:
        theirs = scipy.stats.mannwhitneyu(then, now, method="asymptotic", use_continuity=False)
        rows = len(then) + len(now)
        # scipy divides by rows - 1 for the variance of ranks, we by rows.
        ours = location * math.sqrt((rows - 1) / rows)
        assert 2 * scipy.stats.norm.sf(ours) == pytest.approx(theirs.pvalue, rel=1e-3, abs=1e-9)


@given(PAIRS)
def test_all_shares_together_are_scipys_likelihood_ratio(pair):
    then, now = (counts(*values) for values in pair)
    seen = then + now > 0
    if seen.sum() > 1:
        test = scipy.stats.chi2_contingency(
            np.array([then[seen], now[seen]]), correction=False, lambda_="log-likelihood"
        )
        spread = 2 / (9 * test.dof)
        normal = ((test.statistic / test.dof) ** (1 / 3) - 1 + spread) / math.sqrt(spread)
        assert together(then, now) == pytest.approx(max(normal, 0), abs=1e-3)


@pytest.mark.parametrize("statistic", [largest_component, largest_deviance])
def test_in_standard_errors_a_side_is_as_good_as_the_other_and_more_rows_say_more(statistic):
    then, now = counts(500, 300, 200, 5), counts(40, 35, 25, 2)
    assert statistic(then, now) == pytest.approx(statistic(now, then))
    assert statistic(100 * then, 100 * now) == pytest.approx(10 * statistic(then, now), rel=0.2)


@given(PAIRS)
def test_jensen_shannon_is_scipys(pair):
    ours = jensen_shannon(counts(*pair[0]), counts(*pair[1]))
    # scipy's is the root of a small difference; near zero only the square can be compared.
    assert ours**2 == pytest.approx(np.nan_to_num(scipy.spatial.distance.jensenshannon(*pair, base=2)) ** 2, abs=1e-12)


@given(PAIRS)
def test_chi_square_is_that_of_scipys_test_of_homogeneity(pair):
    then, now = (counts(*values) for values in pair)
    seen = then + now > 0
    table = np.array([then[seen], now[seen]])
    expected = scipy.stats.contingency.expected_freq(table)
    by_test = ((table - expected) ** 2 / expected).sum()
    assert chi_square(then, now) / (1 / then.sum() + 1 / now.sum()) == pytest.approx(by_test, abs=1e-6)


@given(SAMPLES, SAMPLES, st.sets(st.integers(0, 30), min_size=1, max_size=8))
def test_kolmogorov_smirnov_on_bins_is_below_the_exact_one_by_no_more_than_it_says(then, now, edges):
    def binned(values):
        return counts(*np.bincount(np.searchsorted(sorted(edges), values), minlength=len(edges) + 1), 0)

    exact = scipy.stats.ks_2samp(then, now, method="asymp").statistic
    on_bins = kolmogorov_smirnov(binned(then), binned(now))
    error = np.minimum(binned(then) / len(then), binned(now) / len(now)).max()
    assert on_bins <= exact + 1e-12
    assert exact <= on_bins + error + 1e-12


@given(PAIRS)
def test_wasserstein_is_scipys_between_ranks(pair):
    then, now = (counts(*values) for values in pair)
    ends = np.concatenate([[0.0], np.cumsum(then) / then.sum()])
    steps = (np.arange(100) + 0.5) / 100
    ranks = [low + (high - low) * steps for low, high in pairwise(ends)]
    here = [np.repeat(values / values.sum() / 100, 100) for values in (then, now)]
    there = scipy.stats.wasserstein_distance(np.concatenate(ranks), np.concatenate(ranks), *here)
    assert wasserstein(then, now) == pytest.approx(there, abs=5e-3)


@every
@given(pair=PAIRS)
def test_a_distribution_is_at_no_distance_from_itself_and_at_some_from_others(statistic, pair):
    then, now = (counts(*values) for values in pair)
    assert statistic.compute(then, then) == pytest.approx(0, abs=1e-7)
    assert statistic.compute(then, now) >= 0


@every
@given(pair=PAIRS)
def test_many_windows_at_once_are_the_same_as_one_by_one(statistic, pair):
    then, now = (counts(*values) for values in pair)
    together = statistic.compute(np.stack([then, then]), np.stack([now, then]))
    assert together == pytest.approx([float(statistic.compute(then, each)) for each in (now, then)], abs=1e-7)


@every
def test_other_bins_are_refused(statistic):
    with pytest.raises(ValueError, match="3 bins in the baseline, 2 in the window"):
        statistic.compute(counts(1, 2, 3), counts(1, 2))


@pytest.mark.parametrize(
    "statistic", [jensen_shannon, kolmogorov_smirnov, wasserstein, chi_square, largest_component, largest_deviance]
)
def test_no_rows_at_all_are_told_from_no_drift(statistic):
    with pytest.raises(ValueError, match="no rows"):
        statistic(counts(1, 1), counts(0, 0))


def test_order_matters_only_where_there_is_one():
    without_order = {name for name, one in STATISTICS.items() if "categorical" in one.feature_types}
    then, now, shuffled = counts(5, 3, 2), counts(2, 4, 4), [2, 0, 1]
    same = {
        name for name, one in STATISTICS.items()
        if one.compute(then, now) == pytest.approx(one.compute(then[shuffled], now[shuffled]))
    }  # fmt: skip
    assert same == without_order
