"""Correlations: counted exactly however a window is cut, alarms as rare as chosen, hidden shifts found."""

import json
from datetime import UTC, datetime
from unittest.mock import Mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline_document import Baseline
from monitoring.bins import NumericBins
from monitoring.contract import CORRELATION_DRIFT_METRIC, MAX_DRIFT_METRIC
from monitoring.correlation import MOST_FEATURES, Association, correlations, pair_correlations, pair_errors
from monitoring.errors import MonitoringError
from monitoring.history import History
from monitoring.metrics import publish
from monitoring.moments import Moments, Scales
from monitoring.page.document import page
from monitoring.profile import Profile
from monitoring.report import compare, report, summary, thresholds_of, violations
from monitoring.sample import Sample
from monitoring.spec import DriftSpec
from monitoring.window import Window
from tests.unit.monitoring.conftest import DRIFT_SPEC

NAMES = ("temp", "dewp", "wind", "rain")
ROWS = 20_000
SCORE = NumericBins("score", ())
WINDOW = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))
NUMBERS = st.lists(st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3), min_size=1, max_size=60)


def drawn(rows, seed, together=0.9):
    """Temperature and dew point go together; rain is rare and its values far apart; a tenth of the wind is missing."""
    generator = np.random.default_rng(seed)
    temp, other, wind, rain = generator.standard_normal((4, rows))
    dewp = together * temp + np.sqrt(1 - together**2) * other
    return [20 + 5 * temp, dewp, np.where(rain > 1.3, np.nan, wind), np.where(np.abs(rain) > 1.5, np.exp(3 * rain), 0)]


def spec(**change):
    return DriftSpec.from_json(json.dumps(DRIFT_SPEC | {"false_alarm_rate": 0.05} | change))


def baseline_of(columns):
    """What the baseline job makes of them."""
    rows = pl.DataFrame(dict(zip(NAMES, columns, strict=True)))
    bins = [NumericBins.fit(rows[name]) for name in NAMES]
    profile = Profile.of(bins, SCORE, rows, pl.Series([0.1] * len(rows)))
    association = Association.fit(NAMES, columns)
    return Baseline("flight-delay", "none", "0", profile, association, sample=Sample.of(bins, rows, association))


def compared(baseline, columns, thresholds=None, **change):
    """What the job finds in a window of these columns."""
    rows = pl.DataFrame(dict(zip(NAMES, columns, strict=True)))
    now = Profile.of(baseline.bins, SCORE, rows, pl.Series([0.1] * len(rows)))
    return compare(baseline, now, spec(**change), moments=baseline.moments(rows), thresholds=thresholds)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(drawn(ROWS, seed=0))


@given(rows=NUMBERS, cut=st.integers(0, 60))
def test_moments_of_parts_add_up_to_those_of_the_whole_exactly(rows, cut):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    scales = Scales.fit("abc", columns)
    parts = [[column[:cut] for column in columns], [column[cut:] for column in columns]]
    whole, added = Moments.of(scales, columns), Moments.of(scales, parts[1]) + Moments.of(scales, parts[0])
    assert added.to_json() == whole.to_json() == Moments.from_json(whole.to_json(), 3).to_json()
    assert (np.abs(correlations(whole)) <= 1 + 1e-9).all()


def test_correlations_are_those_of_numpy():
    columns = [column for column in drawn(5000, seed=1) if np.isfinite(column).all()][:2]
    found = correlations(Moments.of(Scales.fit("ab", columns), columns))
    assert found == pytest.approx(np.corrcoef(columns), abs=0.01)


@pytest.fixture(scope="module")
def baselines():
    return [baseline_of(drawn(ROWS, seed)) for seed in range(5)]


@pytest.mark.parametrize(("rows", "windows"), [(500, 80), (2_000, 60)])
def test_as_many_windows_without_drift_raise_the_alarm_as_was_chosen(baselines, rows, windows):
    found = []
    for number, one in enumerate(baselines, 1):
        thresholds = thresholds_of(one, rows, spec(false_alarm_rate=0.1))
        for window in range(windows):
            columns = drawn(rows, 1000 * number + window)
            found.append(compared(one, columns, thresholds, false_alarm_rate=0.1).status == "drift")
    # Windows against one and the same baseline err together.
    assert 0.06 <= np.mean(found) <= 0.14


def test_a_shift_that_no_feature_shows_is_found_and_its_pair_named(baseline):
    columns = drawn(1000, seed=2)
    columns[1] = np.random.default_rng(3).permutation(columns[1])
    found = compared(baseline, columns)
    assert found.drifted_features == []
    assert found.status == "drift"
    assert found.max_drift == found.correlation.ratio > 1
    assert found.correlation.to_json()["pairs"][0]["features"] == ["temp", "dewp"]
    records = {"reasons": {}}
    correlation, location = report(spec(), WINDOW, records, found)["multivariate"]
    assert (correlation["drifted"], location["statistic"]) == (True, "location")
    assert "<h2>How features go together</h2>" in page(spec(), WINDOW, records, found, history=History())
    cloudwatch = Mock()
    publish(cloudwatch, "endpoint", WINDOW.end, found)
    (sent,) = [call.kwargs["MetricData"] for call in cloudwatch.put_metric_data.call_args_list]
    values = {each["MetricName"]: each["Value"] for each in sent if len(each["Dimensions"]) == 1}
    assert values[CORRELATION_DRIFT_METRIC] == values[MAX_DRIFT_METRIC] == found.max_drift
    assert "correlation of temp and dewp 0.9" in summary(found, 500)
    assert [each["feature_name"] for each in violations(found)["violations"]] == ["temp"]


def test_without_a_change_nothing_is_said(baseline):
    found = compared(baseline, drawn(1000, seed=4))
    assert (found.status, violations(found)) == ("no-drift", {"violations": []})


def test_features_and_correlations_share_the_false_alarm_rate(baseline):
    judged = spec()
    both, features = (thresholds_of(baseline, 1000, each) for each in (judged, spec(multivariate_statistic=None)))
    assert features.correlation is None
    assert both.correlation > 0
    assert all(together > alone for together, alone in zip(both.features, features.features, strict=True))
    assert not spec(false_alarm_rate=None).needs_moments


def test_another_multivariate_statistic_is_refused_with_those_there_are():
    with pytest.raises(
        MonitoringError, match='multivariate_statistic is "auc": must be correlation, location, both or null'
    ):
        spec(multivariate_statistic="auc")


def test_a_baseline_keeps_its_association(baseline):
    association = baseline.association
    again = Association.from_json(json.loads(json.dumps(association.to_json())))
    assert again.to_json() == association.to_json()
    with pytest.raises(ValueError, match="do not fit each other"):
        Association.from_json(association.to_json() | {"names": ["temp"]})
    with pytest.raises(ValueError, match="other than 3 numeric features"):
        Moments.from_json(association.moments.to_json(), 3)


@pytest.mark.parametrize("features", [0, 1, MOST_FEATURES + 1])
def test_there_are_no_correlations_of_one_feature_and_none_of_very_many(features):
    names = [str(number) for number in range(features)]
    assert Association.fit(names, [np.arange(9.0)] * features) is None


def test_features_that_are_one_or_constant_do_not_drift_by_rounding():
    def columns(rows, seed):
        one = np.random.default_rng(seed).standard_normal(rows)
        return [one, one * 1.8 + 32, np.full(rows, 7.0), np.full(rows, np.nan)]

    found = compared(baseline_of(columns(5000, seed=0)), columns(5000, seed=1), minimum_rows=1)
    assert not found.correlation.drifted


def test_standard_errors_are_what_correlations_of_windows_spread_by():
    columns = drawn(ROWS, seed=6, together=0.6)[:2]
    scales = Scales.fit("ab", columns)
    scores = scales.scores(columns)
    generator = np.random.default_rng(7)
    windows = generator.multinomial(2000, np.full(ROWS, 1 / ROWS), size=300).astype(np.float32)
    found = pair_correlations(windows, scores.astype(np.float32))[:, 0]
    assert found.std() * np.sqrt(2000) == pytest.approx(pair_errors(scores)[0], rel=0.15)
    assert found.mean() == pytest.approx(np.corrcoef(scores)[0, 1], abs=0.005)
