"""Metrics against values worked out by hand; intervals and the estimate without labels against simulated truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.performance import auc, calibration_error, classification, estimate, regression

SCORED = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])), min_size=2).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


def vectors(*rows):
    return np.array([label for label, _ in rows], dtype=float), np.array([score for _, score in rows], dtype=float)


def simulated(rows, seed, shift=0.0):
    generator = np.random.default_rng(seed)
    scores = generator.beta(2, 5, rows)
    return (generator.random(rows) < np.clip(scores + shift, 0, 1)).astype(float), scores


def test_auc_equals_the_value_worked_out_by_hand():
    # Pairs in order: 0.8 over both, 0.4 over 0.2 and level with 0.4.
    assert auc(*vectors((1, 0.8), (1, 0.4), (0, 0.4), (0, 0.2))).value == pytest.approx(3.5 / 4)


@given(SCORED)
def test_auc_is_the_share_of_pairs_in_order(rows):
    labels, scores = vectors(*rows)
    pairs = [np.sign(one - other) / 2 + 0.5 for one in scores[labels == 1] for other in scores[labels == 0]]
    assert auc(labels, scores).value == pytest.approx(np.mean(pairs))


def test_log_loss_and_calibration_error_equal_the_values_worked_out_by_hand():
    found = classification(*vectors((1, 0.75), (0, 0.5)))
    assert found["log_loss"].value == pytest.approx((-math.log(0.75) - math.log(0.5)) / 2)
    assert found["calibration_error"].value == pytest.approx((0.25 + 0.5) / 2)


def test_one_label_alone_has_no_auc():
    assert "auc" not in classification(*vectors((1, 0.75), (1, 0.5)))


def test_f1_equals_the_value_worked_out_by_hand():
    # Answered 1: three, of which two are; labelled 1: three.
    rows = vectors((1, 0.75), (1, 0.3), (0, 0.5), (1, 0.9), (0, 0.1))
    assert classification(*rows, threshold=0.5)["f1"].value == pytest.approx(2 * 2 / (3 + 3))
    assert "f1" not in classification(*vectors((0, 0.2), (0, 0.1)))


@given(SCORED, st.sampled_from([0.2, 0.5, 1.0]))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(rows, threshold):
    labels, scores = vectors(*rows)
    true = (labels * (scores >= threshold)).sum()
    found = classification(labels, scores, threshold)["f1"]
    assert 0 <= found.low <= found.value <= found.high <= 1
    if true:
        precision, recall = true / (scores >= threshold).sum(), true / labels.sum()
        assert found.value == pytest.approx(2 * precision * recall / (precision + recall))
    else:
        assert found.value == 0


def test_rmse_and_mae_equal_the_values_worked_out_by_hand():
    found = regression(*vectors((1, 4), (2, 1), (3, 3)))
    assert found["rmse"].value == pytest.approx(math.sqrt(10 / 3))
    assert found["mae"].value == pytest.approx(4 / 3)


@pytest.mark.parametrize("metric", ["auc", "log_loss", "f1"])
def test_the_interval_holds_the_true_value_95_times_in_100(metric):
    true = classification(*simulated(400_000, seed=0))[metric].value
    found = [classification(*simulated(500, seed))[metric] for seed in range(1, 301)]
    assert 0.91 <= np.mean([each.low <= true <= each.high for each in found]) <= 0.985


def test_scores_that_are_too_low_have_a_calibration_error_of_as_much():
    assert calibration_error(*simulated(20_000, seed=1)).value < 0.015
    found = calibration_error(*simulated(20_000, seed=1, shift=0.1))
    assert found.low < 0.1 < found.high
    assert found.high - found.low < 0.03


def test_the_estimate_without_labels_is_what_labels_then_say_of_calibrated_scores():
    labels, scores = simulated(50_000, seed=2)
    measured, estimated = classification(labels, scores), estimate(scores)
    for name, value in estimated.items():
        assert measured[name].low <= value <= measured[name].high


def test_one_score_for_all_has_no_estimate_of_the_auc():
    assert estimate(np.full(10, 0.5)) == {"log_loss": pytest.approx(math.log(2)), "f1": pytest.approx(2 / 3)}
    assert "f1" not in estimate(np.zeros(10))
