"""Measures of bias: values computed by hand, identities, and what holds for any counts."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitoring.bins import CategoricalBins
from monitoring.errors import MonitoringError
from monitoring.fairness.bias import bias
from monitoring.fairness.decisions import DecidedGroups
from monitoring.fairness.demographic_parity import demographic_parity_difference
from monitoring.fairness.disparate_impact import disparate_impact
from monitoring.fairness.equal_opportunity import equal_opportunity_difference

COUNTRY = CategoricalBins("country", ("DE", "FR"), ())
COUNTS = np.array([[60, 40], [80, 20], [9, 1]])
"""Answered 0 and 1: 40 %, 20 %, and a group of ten."""
PEOPLE = st.tuples(st.integers(2, 6), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[1]).integers(0, 200, size=(drawn[0], 2))
)


def test_parity_is_the_distance_of_the_highest_and_the_lowest_rate_by_hand():
    assert demographic_parity_difference(COUNTS, 30) == pytest.approx(0.4 - 0.2)
    assert demographic_parity_difference(COUNTS, 10) == pytest.approx(0.4 - 0.1)


def test_impact_is_the_lowest_rate_over_the_highest_by_hand():
    assert disparate_impact(COUNTS, 30) == pytest.approx(0.5)
    assert disparate_impact(COUNTS, 10) == pytest.approx(0.25)


def test_opportunity_looks_at_those_alone_whose_label_is_1_by_hand():
    counts = np.array([[[500, 0], [10, 30]], [[0, 500], [30, 10]]])
    assert equal_opportunity_difference(counts, 40) == pytest.approx(0.75 - 0.25)
    assert equal_opportunity_difference(counts, 41) is None


def test_where_nobody_is_answered_1_all_are_treated_alike():
    nobody = np.array([[50, 0], [70, 0]])
    assert (demographic_parity_difference(nobody), disparate_impact(nobody)) == (0.0, 1.0)


@pytest.mark.parametrize("counts", [np.zeros((0, 2), int), np.array([[50, 50]]), np.array([[50, 50], [5, 5]])])
def test_with_fewer_than_two_large_groups_there_is_nothing_to_compare(counts):
    assert demographic_parity_difference(counts) is None
    assert disparate_impact(counts) is None


@given(PEOPLE)
def test_measures_keep_within_their_bounds_and_do_not_know_the_groups_order(counts):
    difference, impact = demographic_parity_difference(counts, 1), disparate_impact(counts, 1)
    assume(difference is not None)
    assert 0 <= difference <= 1
    assert 0 <= impact <= 1
    assert (difference == 0) == (impact == 1)
    assert demographic_parity_difference(counts[::-1], 1) == difference
    assert disparate_impact(counts[::-1], 1) == impact


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(0, 5), st.integers(1, 5))
def test_groups_of_equal_rates_and_any_sizes_differ_in_nothing(sizes, positive, negative):
    counts = np.array([[negative * size, positive * size] for size in sizes])
    assert demographic_parity_difference(counts, 1) == pytest.approx(0, abs=1e-12)
    assert disparate_impact(counts, 1) == pytest.approx(1)


@given(st.data())
def test_opportunity_is_parity_among_those_labelled_1(data):
    counts = data.draw(arrays(np.int64, (3, 2, 2), elements=st.integers(0, 100)))
    assert equal_opportunity_difference(counts, 10) == demographic_parity_difference(counts[:, 1], 10)


def trained():
    places = np.array([0, 0, 0, 1, 1, 4], dtype=np.int32)
    labels, scores = np.array([0.0, 1, 1, 0, 1, 1]), np.array([0.1, 0.5, 0.4, 0.9, 0.8, 0.2])
    return DecidedGroups.fit(0.5, [COUNTRY], [places], labels=labels, scores=scores)


def test_training_rows_are_counted_by_group_label_and_answer():
    (counts,) = trained().counts
    assert counts[0].tolist() == [[1, 0], [1, 1]]
    assert counts[1].tolist() == [[0, 1], [0, 1]]
    assert counts[4].tolist() == [[0, 0], [1, 0]]
    assert counts.sum() == 6


def test_a_row_is_answered_1_from_the_models_own_threshold_on_and_without_a_score_it_is_in_no_group():
    places, scores = np.array([0, 0, 0, 3], dtype=np.int32), np.array([0.5, 0.499, np.nan, 1.0])
    (counts,) = trained().count({"country": places}, scores).counts
    assert counts.tolist() == [[1, 1], [0, 0], [0, 0], [0, 1], [0, 0]]


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(seed, cut):
    random = np.random.default_rng(seed)
    places, scores = random.integers(0, 5, 40).astype(np.int32), random.choice([0.2, 0.5, 0.8, np.nan], 40)
    whole = trained().count({"country": places}, scores)
    halves = [trained().count({"country": places[part]}, scores[part]) for part in (slice(cut), slice(cut, None))]
    assert np.array_equal((trained().nobody + halves[0] + halves[1]).counts[0], whole.counts[0])


def test_what_the_baseline_holds_is_read_as_it_was_written():
    known = trained()
    again = DecidedGroups.from_json(known.to_json(), [COUNTRY])
    assert again.to_json() == known.to_json()
    with pytest.raises(ValueError, match="do not fit"):
        DecidedGroups.from_json(known.to_json(), [CategoricalBins("country", ("DE",), ())])


def test_a_group_that_the_baseline_does_not_know_is_refused_by_name():
    with pytest.raises(MonitoringError, match="bias by age: no categorical feature of the baseline"):
        trained().of(["age"])
    assert trained().of([]) is None


def test_each_group_is_shown_beside_its_own_rate_in_training_and_an_unseen_one_not_at_all():
    scores = np.array([0.9] * 40 + [0.1] * 60 + [0.9] * 20 + [0.1] * 80 + [0.9])
    places = np.array([0] * 100 + [1] * 100 + [3], dtype=np.int32)
    (found,) = bias(trained(), trained().count({"country": places}, scores), 30)
    assert [(each.group, each.rows, each.rate, each.compared) for each in found.groups] == [
        ("DE", 100, 0.4, True), ("FR", 100, 0.2, True), ("new", 1, 1.0, False), ("missing", 0, None, False),
    ]  # fmt: skip
    assert [each.baseline for each in found.groups] == [pytest.approx(1 / 3), 1.0, None, 0.0]
    assert (found.parity_difference, found.impact) == (pytest.approx(0.2), pytest.approx(0.5))
