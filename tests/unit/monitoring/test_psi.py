"""The population stability index against values worked out by hand, and its identities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.statistics import STATISTICS
from monitoring.statistics.psi import psi

COUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=12)
PAIRS = st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=n, max_size=n)] * 2))


def counts(*values):
    return np.array(values, dtype=np.int64)


def test_equals_the_value_worked_out_by_hand():
    # Shares 0.5, 0.5 against 0.25, 0.75: -0.25 ln 0.5 + 0.25 ln 1.5 = 0.25 ln 3.
    assert psi(counts(50, 50), counts(25, 75), pseudo_count=0) == pytest.approx(0.25 * math.log(3))


def test_equals_the_value_worked_out_by_hand_with_an_empty_bin():
    # With half a row more in each bin: shares 10.5/11, 0.5/11 against 5.5/11, 5.5/11.
    by_hand = (5.5 - 10.5) / 11 * math.log(5.5 / 10.5) + (5.5 - 0.5) / 11 * math.log(5.5 / 0.5)
    assert psi(counts(10, 0), counts(5, 5)) == pytest.approx(by_hand)


def test_a_half_empty_bin_is_infinitely_far_without_a_pseudo_count():
    assert psi(counts(10, 0), counts(5, 5), pseudo_count=0) == math.inf


def test_a_bin_that_is_empty_on_both_sides_adds_nothing_without_a_pseudo_count():
    assert psi(counts(10, 0, 10), counts(5, 0, 5), pseudo_count=0) == 0


@given(COUNTS)
def test_a_distribution_is_at_no_distance_from_itself(values):
    assert psi(counts(*values), counts(*values)) == 0


@given(PAIRS)
def test_it_is_symmetric_and_never_negative(pair):
    first, second = (counts(*values) for values in pair)
    assert psi(first, second) >= 0
    assert psi(first, second) == pytest.approx(psi(second, first))


@given(PAIRS, st.integers(2, 50))
def test_shares_alone_decide_when_there_is_no_pseudo_count(pair, times):
    first, second = (counts(*values) + 1 for values in pair)
    assert psi(first * times, second, pseudo_count=0) == pytest.approx(psi(first, second, pseudo_count=0))


def test_no_rows_at_all_are_told_from_no_drift():
    with pytest.raises(ValueError, match="no rows"):
        psi(counts(0, 0), counts(1, 1), pseudo_count=0)


def test_other_bins_are_refused():
    with pytest.raises(ValueError, match="3 bins in the baseline, 2 in the window"):
        psi(counts(1, 2, 3), counts(1, 2))


def test_it_is_found_by_its_name():
    assert STATISTICS["psi"].compute is psi
