"""Bins freeze on the baseline; counting parts and adding is counting the whole."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.bins import CATEGORY_BINS, CategoricalBins, NumericBins, read_bins
from monitoring.errors import MonitoringError
from monitoring.profile import Profile

NUMBERS = st.lists(st.one_of(st.none(), st.floats(), st.integers(-5, 5).map(float)), max_size=60)
TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(["AA", "UA", "", "Zürich"]), st.text(max_size=3)), max_size=60)


def numeric(values):
    return pl.Series("temp", values, dtype=pl.Float64)


def categorical(values):
    return pl.Series("carrier", values, dtype=pl.String)


def test_a_tenth_of_the_baseline_lies_in_each_bin():
    values = numeric(range(1, 101))
    bins = NumericBins.fit(values)
    assert bins.edges == (10, 20, 30, 40, 50, 60, 70, 80, 90)
    assert bins.count(values).tolist() == [10] * 10 + [0]


def test_the_outer_bins_have_open_ends():
    bins = NumericBins("temp", (0.0, 1.0))
    assert bins.count(numeric([-1e300, -math.inf, 0.5, 1e300, math.inf])).tolist() == [2, 1, 2, 0]


def test_a_value_on_an_edge_belongs_to_the_bin_below():
    assert NumericBins("temp", (0.0, 1.0)).count(numeric([0.0, 1.0])).tolist() == [1, 1, 0, 0]


def test_null_and_nan_are_missing():
    assert NumericBins("temp", (0.0,)).count(numeric([None, math.nan, 1.0])).tolist() == [0, 1, 2]


def test_a_constant_tells_lower_from_higher():
    bins = NumericBins.fit(numeric([7.0] * 5))
    assert bins.count(numeric([6.9, 7.0, 7.0, 7.1, 7.1, 7.1])).tolist() == [1, 2, 3, 0]


def test_a_baseline_of_missing_values_alone_has_one_bin_for_any_value():
    bins = NumericBins.fit(numeric([None, math.nan]))
    assert bins.count(numeric([1.0, None, 2.0])).tolist() == [2, 1]


def test_infinite_values_shape_no_edge():
    assert all(math.isfinite(edge) for edge in NumericBins.fit(numeric([math.inf, -math.inf, 1.0, 2.0])).edges)


def test_a_baseline_of_infinite_values_alone_tells_finite_ones_from_them():
    bins = NumericBins.fit(numeric([math.inf, math.inf, -math.inf, None]))
    assert bins.count(numeric([-math.inf, 0.0, 1e300, math.inf, None])).tolist() == [1, 2, 1, 1]


def test_categories_are_ordered_by_frequency_then_name():
    bins = CategoricalBins.fit(categorical(["UA", "AA", "UA", None, "", "9E"]))
    assert bins.categories == ("UA", "9E", "AA")


def test_rare_new_and_missing_categories_are_counted_apart():
    common = [f"c{number:02d}" for number in range(CATEGORY_BINS)]
    bins = CategoricalBins.fit(categorical([*common, *common, "rare"]))
    found = bins.count(categorical(["c00", "rare", "rare", "never seen", None, ""]))
    assert found[0] == 1
    assert found[-3:].tolist() == [2, 1, 2]


def test_bins_read_back_as_they_were_written():
    for bins in (
        NumericBins("temp", (math.nextafter(0.1, 0), 0.1, 1e300)),
        CategoricalBins("carrier", ("UA",), ("9E",)),
    ):
        assert read_bins(json.loads(json.dumps(bins.to_json()))) == bins


def test_edges_that_do_not_rise_are_refused():
    with pytest.raises(MonitoringError, match="edges of feature temp do not rise"):
        read_bins({"name": "temp", "type": "numeric", "edges": [1.0, 1.0]})


def test_every_bin_has_a_label():
    for bins in (NumericBins("temp", (0.0, 1.5)), CategoricalBins("carrier", ("UA",), ())):
        assert len(bins.labels()) == len(bins.count(pl.Series(bins.name, [], dtype=pl.String)))
    assert NumericBins("temp", (0.0, 1.5)).labels() == ["(-inf, 0]", "(0, 1.5]", "(1.5, inf]", "missing"]


@given(NUMBERS, NUMBERS, NUMBERS)
def test_counting_numbers_in_parts_and_adding_is_counting_the_whole(baseline, first, second):
    bins = NumericBins.fit(numeric(baseline))
    whole = bins.count(numeric(first + second))
    assert np.array_equal(bins.count(numeric(first)) + bins.count(numeric(second)), whole)
    assert whole.sum() == len(first + second)


@given(TEXTS, TEXTS, TEXTS)
def test_counting_categories_in_parts_and_adding_is_counting_the_whole(baseline, first, second):
    bins = CategoricalBins.fit(categorical(baseline))
    whole = bins.count(categorical(first + second))
    assert np.array_equal(bins.count(categorical(first)) + bins.count(categorical(second)), whole)
    assert whole.sum() == len(first + second)


@given(NUMBERS.filter(lambda values: len(values) > 0), st.integers(0, 60))
def test_profiles_of_the_same_bins_add_up(values, cut):
    features, prediction = (NumericBins.fit(numeric(values)),), NumericBins("score", (0.5,))

    def profile(part):
        return Profile.of(features, prediction, pl.DataFrame([numeric(part)]), numeric(part))

    added, whole = profile(values[:cut]) + profile(values[cut:]), profile(values)
    assert added.rows == whole.rows == len(values)
    assert np.array_equal(added.features[0].counts, whole.features[0].counts)
    assert np.array_equal(added.prediction.counts, whole.prediction.counts)


def test_profiles_of_other_bins_do_not_add_up():
    def empty(edge):
        return Profile.empty((NumericBins("temp", (edge,)),), NumericBins("score", ()))

    with pytest.raises(ValueError, match="not counted over the same bins"):
        empty(0.0) + empty(1.0)


def test_a_hundred_thousand_categories_are_a_few_bins_however_many_of_them_are_new():
    bins = CategoricalBins.fit(pl.Series("id", range(100_000)).cast(pl.String))
    assert len(bins.labels()) == CATEGORY_BINS + 3
    counts = bins.count(pl.Series("id", range(50_000, 150_000)).cast(pl.String))
    assert (counts.sum(), counts[-3], counts[-2], counts[-1]) == (100_000, 50_000, 50_000, 0)
