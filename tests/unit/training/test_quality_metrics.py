"""Metrics against values worked out by hand, and against what they mean."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.contract import METRICS
from training.metrics import accuracy, auc, functions, log_loss, mae, rmse, standard_deviation

LABELS = np.array([0.0, 0.0, 1.0, 1.0])
SCORES = np.array([0.1, 0.4, 0.35, 0.8])
PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])), min_size=2)


def test_auc_by_hand() -> None:
    # Of the four pairs (0.35 and 0.8 against 0.1 and 0.4), three are in order.
    assert auc(LABELS, SCORES) == 0.75
    # Ties: (1, 1) is half, of 0.5 against 0.5 and 0.2.
    assert auc(np.array([0.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.2])) == 0.75


@given(pairs=PAIRS)
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[float, float]]) -> None:
    ones = [score for label, score in pairs if label]
    zeros = [score for label, score in pairs if not label]
    value = auc(*(np.array(column) for column in zip(*pairs, strict=True)))
    if not ones or not zeros:
        assert math.isnan(value)
    else:
        in_order = sum((one > zero) + (one == zero) / 2 for one in ones for zero in zeros)
        assert value == pytest.approx(in_order / (len(ones) * len(zeros)))


@given(pairs=PAIRS)
def test_auc_turns_round_with_the_scores_and_cares_for_their_order_alone(pairs: list[tuple[float, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*pairs, strict=True))
    assert auc(labels, -scores) == pytest.approx(1 - auc(labels, scores), nan_ok=True)
    assert auc(labels, np.exp(scores)) == pytest.approx(auc(labels, scores), nan_ok=True)


def test_log_loss_by_hand() -> None:
    expected = -(math.log(0.9) + math.log(0.6) + math.log(0.35) + math.log(0.8)) / 4
    assert log_loss(LABELS, SCORES) == pytest.approx(expected, rel=1e-12)


def test_a_certain_and_wrong_prediction_is_dear_but_finite() -> None:
    assert log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(-math.log(1e-15), rel=1e-3)


def test_accuracy_by_hand_and_a_score_at_the_threshold_is_a_one() -> None:
    assert accuracy(LABELS, SCORES) == 0.75
    assert accuracy(LABELS, SCORES, threshold=0.35) == 0.75
    assert accuracy(LABELS, SCORES, threshold=0.36) == 0.5


def test_rmse_and_mae_by_hand() -> None:
    labels, scores = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 5.0])
    assert rmse(labels, scores) == pytest.approx(math.sqrt(5 / 3))
    assert mae(labels, scores) == 1.0


def test_the_bootstrap_is_the_same_every_time_and_agrees_with_theory() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(4000) < 0.3).astype(float)
    deviation = standard_deviation(accuracy, labels, np.zeros(4000))
    assert deviation == standard_deviation(accuracy, labels, np.zeros(4000))
    assert deviation == pytest.approx(math.sqrt(0.3 * 0.7 / 4000), rel=0.2)


@settings(max_examples=20)
@given(threshold=st.floats(0.01, 0.99))
def test_every_named_metric_has_its_function_with_the_threshold_bound(threshold: float) -> None:
    for problem, names in METRICS.items():
        assert tuple(functions(problem, threshold)) == names
    assert functions("binary-classification", threshold)["accuracy"](LABELS, SCORES) == accuracy(
        LABELS, SCORES, threshold
    )
