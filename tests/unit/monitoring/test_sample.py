"""Windows drawn of a baseline's sample move as windows of its rows do, features together, extreme rows and all."""

import json

import numpy as np
import polars as pl
import pytest

from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.calibration import calibrated_thresholds
from monitoring.correlation import Association, numbers
from monitoring.profile import Distribution, Profile
from monitoring.sample import EXTREME, Sample
from monitoring.statistics import STATISTICS

ROWS = 10_000
COPIES = [f"x{number}" for number in range(8)]


def rows(seed):
    """Eight names for one number, but for an odd row in a thousand; and a category."""
    generator = np.random.default_rng(seed)
    one = generator.standard_normal(ROWS)
    columns = {name: np.where(generator.random(ROWS) < 0.001, -5.0, one) for name in COPIES}
    return pl.DataFrame(columns | {"kind": pl.Series(["a", "b"] * (ROWS // 2))})


def sample_of(frame):
    bins = [*(NumericBins.fit(frame[name]) for name in COPIES), CategoricalBins.fit(frame["kind"])]
    association = Association.fit(COPIES, numbers(frame, COPIES))
    return bins, association, Sample.of(bins, frame, association)


def test_a_sample_stands_for_all_rows_and_holds_the_extreme_ones():
    frame = rows(1)
    _, _, sample = sample_of(frame)
    assert sample.shares.sum() == pytest.approx(1)
    odd = (np.array([frame[name] for name in COPIES]) == -5).any(axis=0).sum()
    assert odd < EXTREME
    assert (sample.scores.min(axis=0) <= -90).sum() >= odd
    counts = sample.places[-1] @ sample.shares
    assert counts == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("size", [500, 3_000_000])
def test_windows_have_as_many_rows_as_they_should_and_spread_as_chance_does(size):
    _, _, sample = sample_of(rows(2))
    drawn = sample.windows(size, 1000, np.random.default_rng(3))
    totals = drawn.sum(axis=1, dtype=np.float64)
    assert totals.mean() == pytest.approx(size, rel=0.01)
    assert totals.std() == pytest.approx(np.sqrt(size), rel=0.1)
    assert (drawn >= 0).all()


def test_a_windows_counts_are_those_of_its_rows_feature_by_feature():
    bins, _, sample = sample_of(rows(8))
    drawn = sample.windows(500, 3, np.random.default_rng(9))
    sizes = [len(each.labels()) for each in bins]
    for places, counts in zip(sample.places, sample.counts(drawn, sizes), strict=True):
        expected = [np.bincount(places, weights=window, minlength=counts.shape[1]) for window in drawn]
        np.testing.assert_array_equal(counts, expected)


def test_features_that_are_one_get_the_threshold_of_one():
    frame = rows(4)
    bins, _, sample = sample_of(frame)
    profile = [Distribution.of(each, frame[each.name]) for each in bins[:-1]]
    statistics = [STATISTICS["components"]] * len(profile)
    of_all = Sample(sample.places[:-1], sample.scores, sample.shares)
    alone = calibrated_thresholds(profile[:1], statistics[:1], 1000, 0.05).features[0]
    together = calibrated_thresholds(profile, statistics, 1000, 0.05, sample=of_all).features[0]
    apart = calibrated_thresholds(profile, statistics, 1000, 0.05).features[0]
    assert alone == pytest.approx(together, rel=0.06)
    assert apart > 1.15 * alone


def test_a_baseline_keeps_its_sample_and_refuses_one_of_other_bins():
    frame = rows(5)
    bins, association, sample = sample_of(frame)
    again = Sample.from_json(json.loads(json.dumps(sample.to_json())), bins)
    assert again.to_json() == sample.to_json()
    with pytest.raises(ValueError, match="not of these features and bins"):
        Sample.from_json(sample.to_json(), bins[1:])
    with pytest.raises(ValueError, match="not of these features and bins"):
        Sample.from_json(sample.to_json(), [NumericBins("x0", ()), *bins[1:]])
    profile = Profile.of(bins, NumericBins("score", ()), frame, pl.Series([], dtype=pl.Float64))
    assert "sample" in Baseline("m", "none", "0", profile, association, sample=sample).to_json()


def test_a_baseline_of_categories_alone_has_a_sample_without_scores():
    frame = pl.DataFrame({"kind": ["a", "b", "c", None]})
    bins = [CategoricalBins.fit(frame["kind"])]
    sample = Sample.of(bins, frame, None)
    assert sorted(sample.places[0].tolist()) == [0, 1, 2, 5]
    assert sample.scores.shape == (0, 4)
