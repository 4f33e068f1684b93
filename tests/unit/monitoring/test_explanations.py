"""What the model goes by: exact contributions, the order of inputs, and a sample that no cut of the window changes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.demo import flights
from monitoring.explanations.attribution import mean_absolute, ranking_agreement
from monitoring.explanations.explained import ExplanationDrift, attribution
from monitoring.explanations.sample import Sample
from monitoring.scoring import matrix

WEIGHTS = st.lists(st.floats(0.01, 10), min_size=1, max_size=8).map(np.array)


def numbers(rows):
    return rows.to_numpy()


def test_the_mean_is_of_absolute_contributions_without_what_all_rows_share_by_hand():
    contributions = np.array([[1.0, -2.0, 5.0], [-3.0, 0.0, 5.0]])
    assert mean_absolute(contributions).tolist() == [2.0, 1.0]


def test_agreement_of_two_swapped_inputs_by_hand():
    baseline, current = np.array([3.0, 1.0]), np.array([1.0, 3.0])
    best, found = 3 + 1 / np.log2(3), 1 + 3 / np.log2(3)
    assert ranking_agreement(baseline, current) == pytest.approx(found / best)


@given(WEIGHTS)
def test_the_same_order_agrees_wholly_whatever_the_weights(baseline):
    assert ranking_agreement(baseline, baseline * 7) == pytest.approx(1)


@given(WEIGHTS, st.randoms(use_true_random=False))
def test_no_order_agrees_more_than_the_baselines_own_nor_is_it_nothing(baseline, random):
    current = baseline.copy()
    random.shuffle(current)
    assert 0 < ranking_agreement(baseline, current) <= 1 + 1e-12


def test_a_baseline_that_goes_by_nothing_agrees_with_anything():
    assert ranking_agreement(np.zeros(3), np.array([1.0, 2.0, 3.0])) == 1


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60, unique=True), st.integers(1, 20), st.randoms())
def test_the_sample_is_the_same_however_the_rows_are_cut_and_ordered(values, most, random):
    whole = Sample.of(pl.DataFrame({"x": values}), most, numbers)
    random.shuffle(values)
    cut = random.randint(0, len(values))
    parts = [
        Sample.of(pl.DataFrame({"x": part}, schema={"x": pl.Float64}), most, numbers)
        for part in (values[:cut], values[cut:])
    ]
    both = parts[0] + parts[1]
    assert both.keys.tolist() == whole.keys.tolist()
    assert both.rows.tolist() == whole.rows.tolist()
    assert len(both.rows) == min(most, len(values))


def test_a_host_leaves_its_sample_to_another_missing_values_and_all():
    sample = Sample.of(pl.DataFrame({"x": [1.0, None, 3.0], "y": [None, 2.0, 0.5]}), 10, numbers)
    again = Sample.from_json(sample.to_json())
    assert np.array_equal(again.rows, sample.rows, equal_nan=True)
    with pytest.raises(ValueError, match="differ in number"):
        Sample.from_json(sample.to_json() | {"keys": [1]})


def test_contributions_of_a_real_model_add_up_to_its_log_odds(predictor, winter):
    rows = matrix(winter.head(400), predictor.signature)
    odds = np.log(predictor.score(rows) / (1 - predictor.score(rows)))
    assert predictor.contributions(rows).sum(axis=1) == pytest.approx(odds, abs=1e-6)


def test_another_season_is_explained_by_other_inputs_the_weightiest_first(predictor, winter):
    names = predictor.signature.names
    then, now = (
        attribution(predictor, matrix(rows, predictor.signature))
        for rows in (winter.head(500), flights.month(7).head(500))
    )
    drift = ExplanationDrift(names, then, now)
    assert drift.agreement < 1
    first, *_ = drift.by_name()
    heaviest = int(np.argmax(now.mean_absolute))
    assert first == (names[heaviest], then.mean_absolute[heaviest], now.mean_absolute[heaviest])


def test_the_same_rows_have_drifted_in_nothing(predictor):
    rows = matrix(flights.month(4).head(200), predictor.signature)
    drift = ExplanationDrift(predictor.signature.names, *(attribution(predictor, rows) for _ in range(2)))
    assert (drift.agreement, drift.drifted) == (1, False)


def test_no_rows_are_explained_by_nothing(predictor):
    assert attribution(predictor, np.empty((0, len(predictor.signature.names)))) is None
