"""Counts drawn by chance are a multinomial's, where they are few and where a normal number stands for them."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from monitoring.draws import LARGE, multinomial

DRAWS = 40_000


@given(
    rows=st.integers(0, 10_000_000),
    weights=st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda all_: sum(all_) > 0.01),
    seed=st.integers(0, 2**32),
)
@example(rows=5, weights=[1.0, 0.0, 0.0], seed=0)
def test_every_draw_has_all_rows_and_none_in_an_impossible_bin(rows, weights, seed):
    probabilities = np.array(weights) / sum(weights)
    counts = multinomial(np.random.default_rng(seed), rows, probabilities, 20)
    assert counts.shape == (20, len(weights))
    assert (counts.sum(axis=1) == rows).all()
    assert (counts >= 0).all()
    assert not counts[:, np.array(weights) == 0].any()


@pytest.mark.parametrize("rows", [500, 5_000, 1_000_000], ids="{} rows".format)
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_each_bin_alone_is_a_binomial_out_to_its_tails(rows, place):
    probabilities = np.array([0.6, 0.3, 0.0999, 0.0001])
    drawn = multinomial(np.random.default_rng(3), rows, probabilities, DRAWS)[:, place]
    true = binom(rows, probabilities[place])
    # The randomised probability integral transform: uniform, for a discrete number too.
    below = true.cdf(drawn - 1) + np.random.default_rng(4).random(DRAWS) * true.pmf(drawn)
    assert kstest(below, "uniform").pvalue > 0.001
    for share in (0.01, 0.99):
        assert np.mean(below < share) == pytest.approx(share, abs=0.0025)


def test_the_normal_number_stands_for_a_skewed_binomial_out_to_four_standard_deviations():
    rows, probability = LARGE * 100, 0.0101
    drawn = multinomial(np.random.default_rng(5), rows, np.array([probability, 1 - probability]), 2_000_000)[:, 0]
    true = binom(rows, probability)
    for deviations in (-3, 3, 4):
        bound = round(true.mean() + deviations * true.std())
        share, least = (
            (np.mean(drawn > bound), true.sf(bound))
            if deviations > 0
            else (np.mean(drawn < bound), true.cdf(bound - 1))
        )
        assert share == pytest.approx(least, rel=0.01 + 4 / np.sqrt(least * len(drawn)))


def test_bins_move_against_each_other_as_they_must():
    probabilities = np.array([0.5, 0.3, 0.2])
    drawn = multinomial(np.random.default_rng(6), 100_000, probabilities, DRAWS)
    expected = 100_000 * (np.diag(probabilities) - np.outer(probabilities, probabilities))
    assert np.cov(drawn.T) == pytest.approx(expected, rel=0.05)
