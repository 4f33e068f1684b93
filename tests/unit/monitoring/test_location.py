"""Means, together: worked out by hand, as rare by chance as chosen, and what neither feature nor pair shows found."""

from unittest.mock import Mock

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from monitoring.bins import NumericBins
from monitoring.contract import LOCATION_DRIFT_METRIC, MAX_DRIFT_METRIC
from monitoring.correlation import Association
from monitoring.location import RIDGE, Location
from monitoring.metrics import publish
from monitoring.moments import Moments
from monitoring.page.document import page
from monitoring.report import report, summary, thresholds_of, violations
from monitoring.sample import Sample
from tests.unit.monitoring.test_correlation import NAMES, ROWS, WINDOW, History, baseline_of, compared, drawn, spec

CHANGES = st.lists(st.floats(-50, 50), min_size=4, max_size=4).map(np.array)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(drawn(ROWS, seed=0))


@pytest.fixture(scope="module")
def location(baseline):
    return Location.of(baseline.association)


def of_scores(*columns):
    """A baseline of these whole-number scores, as they are."""
    scores = np.array(columns)
    moments = Moments(scores.shape[1], scores.sum(axis=1), scores @ scores.T)
    association = Association.fit(NAMES[: len(scores)], [*scores.astype(float)])
    return Location.of(Association(association.scales, moments, association.errors))


def test_it_equals_the_value_worked_out_by_hand():
    # Two features that do not go together, each -1 or 1: against as many rows, means 0.3 and 0.4 away are 3 and 4
    # standard errors of 200 rows, and 9 + 16 of a chi-square of two degrees.
    location = of_scores([-1, -1, 1, 1] * 50, [-1, 1, -1, 1] * 50)
    found = location.distance(np.array([0.3, 0.4]), 200)
    assert found == pytest.approx((np.cbrt(25 / 2) - 1 + 1 / 9) / np.sqrt(1 / 9))
    assert location.against_others(np.array([0.3, 0.4]), 200) == pytest.approx([3, 4])


def test_of_two_that_go_together_one_alone_moves_further_than_both():
    one, other = [-1, -1, 1, 1] * 1000, ([-1, -1, 1, 1] * 9 + [1, -1, -1, 1]) * 100
    location = of_scores(one, other)
    r = 0.9 * (1 - RIDGE)
    alone = 9 / (1 - r**2)
    both = 2 * 9 / (1 + r)
    for change, squared in (((0.3, 0.0), alone), ((0.3, 0.3), both)):
        expected = (np.cbrt(squared / 2 / (1 + 100 / 4000)) - 1 + 1 / 9) / np.sqrt(1 / 9)
        assert location.distance(np.array(change), 100) == pytest.approx(expected, rel=1e-6)


@given(CHANGES)
def test_no_move_is_no_distance_and_a_move_back_as_far(location, change):
    assert location.distance(np.zeros(4), 500) == 0
    assert location.distance(change, 500) == pytest.approx(location.distance(-change, 500))
    assert location.distance(2 * change, 500) >= location.distance(change, 500) >= 0
    many = location.distance(np.stack([change, -change]), 500)
    assert many == pytest.approx([float(location.distance(each, 500)) for each in (change, -change)])


def test_its_threshold_is_that_of_the_normal_distribution_where_nothing_is_odd():
    generator = np.random.default_rng(1)
    columns = [*(np.eye(6) + 0.3) @ generator.standard_normal((6, ROWS))]
    names = [f"x{number}" for number in range(6)]
    association = Association.fit(names, columns)
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)))
    sample = Sample.of([NumericBins.fit(frame["x0"])], frame, association)
    then, now = (sample.windows(rows, 2000, generator) for rows in (ROWS, 1000))
    found = Location.of(association).distance(sample.mean_changes(then, now), 1000)
    for rate in (0.2, 0.05, 0.01):
        # In 2,000 draws, three standard errors of the share.
        by_chance = 3 * np.sqrt(rate * (1 - rate) / 2000)
        assert np.mean(found >= scipy.stats.norm.isf(rate)) == pytest.approx(rate, abs=by_chance)


def test_a_feature_that_leaves_its_fellows_is_found_and_named(baseline):
    columns = drawn(1000, seed=2)
    columns[0] = columns[0] + 5 * 0.13
    assert compared(baseline, columns, multivariate_statistic="correlation").status == "no-drift"
    found = compared(baseline, columns)
    assert (found.status, found.drifted_features, found.correlation.drifted) == ("drift", [], False)
    assert found.max_drift == found.location.ratio > 1
    assert found.location.features[0].name == "temp"
    assert found.location.features[0].standard_errors > 3
    assert "mean of temp +" in summary(found, 500)
    assert [each["feature_name"] for each in violations(found)["violations"]] == ["temp"]
    records = {"reasons": {}}
    assert report(spec(), WINDOW, records, found)["multivariate"][1]["drifted"]
    assert "<h2>Where features lie together</h2>" in page(spec(), WINDOW, records, found, history=History())
    cloudwatch = Mock()
    publish(cloudwatch, "endpoint", WINDOW.end, found)
    (sent,) = [call.kwargs["MetricData"] for call in cloudwatch.put_metric_data.call_args_list]
    values = {each["MetricName"]: each["Value"] for each in sent if len(each["Dimensions"]) == 1}
    assert values[LOCATION_DRIFT_METRIC] == values[MAX_DRIFT_METRIC] == found.max_drift


def test_each_of_them_can_be_asked_for_alone(baseline):
    asked = {kind: thresholds_of(baseline, 1000, spec(multivariate_statistic=kind)) for kind in ("location", "both")}
    assert asked["location"].correlation is None
    assert 0 < asked["location"].location < asked["both"].location
    assert asked["both"].correlation > 0


def test_a_feature_that_was_constant_has_no_standard_error():
    location = of_scores([0] * 1000, [-1, 1] * 500)
    assert location.against_others(np.array([5.0, 0.0]), 100).tolist() == [0, 0]
    assert location.distance(np.array([5.0, 0.0]), 100) == 0
