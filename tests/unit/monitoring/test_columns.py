"""Columns of numbers are summed alike by the library and by NumPy, whatever stands in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from monitoring.bins import NumericBins
from monitoring.columns import BLOCK, rows_at_most, sums_of_scores
from monitoring.contract import SCAN_LIBRARY_VARIABLE
from monitoring.moments import REACH, STEPS, Moments, Scales

ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 0.5 / STEPS, 1.5 / STEPS, REACH, -REACH]
SIZES = st.one_of(st.integers(0, 40), st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 13]))
SEEDS = st.integers(0, 2**32 - 1)


def column(rows, seed):
    generator = np.random.default_rng(seed)
    return np.where(generator.random(rows) < 0.3, generator.choice(ODD, rows), generator.normal(size=rows))


def by_both(scan_library, work):
    """What `work` gives with the library, and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SCAN_LIBRARY_VARIABLE, str(scan_library))
        compiled = work()
        patch.setenv(SCAN_LIBRARY_VARIABLE, "")
        return compiled, work()


@given(SIZES, SEEDS, st.lists(st.one_of(st.sampled_from(ODD[1:]), st.floats(-3, 3)), max_size=30))
def test_as_many_rows_lie_at_most_at_an_edge_by_either_way(scan_library, rows, seed, edges):
    values, edges = column(rows, seed), np.array(edges, dtype=np.float64)
    assert_array_equal(*by_both(scan_library, lambda: rows_at_most(values, edges)))


@given(SIZES, SEEDS, st.integers(1, 5))
def test_moments_are_the_same_by_either_way_to_the_last_digit(scan_library, rows, seed, features):
    columns = [column(rows, seed + place) for place in range(features)]
    means, deviations = column(features, seed + 7), np.abs(column(features, seed + 8))
    means = np.where(np.isfinite(means), means, 0.0)
    deviations = np.where(np.isfinite(deviations) & (deviations > 0), deviations, 1.0)
    scales = Scales(tuple(map(str, range(features))), means, deviations)
    compiled, careful = by_both(scan_library, lambda: Moments.of(scales, columns))
    assert compiled.to_json() == careful.to_json()


def test_columns_that_do_not_lie_in_one_piece_are_read_row_by_row(scan_library):
    wide = np.arange(60.0).reshape(20, 3)
    bins = NumericBins("one", (10.0, 40.0))
    compiled, careful = by_both(scan_library, lambda: bins.count_numbers(wide[:, 1]))
    assert compiled.tolist() == careful.tolist() == [4, 10, 6, 0]


def test_only_the_library_sums_scores_by_itself(scan_library):
    ones = np.ones(3)
    (sums, products), none = by_both(scan_library, lambda: sums_of_scores([ones], np.zeros(1), np.full(1, 32.0), 96))
    assert (sums.tolist(), products.tolist(), none) == ([96], [[3072]], None)
