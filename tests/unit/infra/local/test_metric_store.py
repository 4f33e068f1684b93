import statistics
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarms.metric_store import Datum, MetricStat, MetricStore, statistic_of

KEY = ("n", "m", frozenset({("Endpoint", "x")}))


def published(value, seconds, *, unit=None, endpoint="x"):
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    dimensions = [SimpleNamespace(name="Endpoint", value=endpoint)]
    return SimpleNamespace(namespace="n", name="m", dimensions=dimensions, value=value, timestamp=moment, unit=unit)


def published_set(seconds, **known):
    moment = datetime.fromtimestamp(seconds, UTC)
    dimensions = [SimpleNamespace(name="Endpoint", value="x")]
    return SimpleNamespace(namespace="n", name="m", dimensions=dimensions, timestamp=moment, unit=None, **known)


def test_data_falls_into_the_period_of_its_own_time_in_whatever_order_it_arrives():
    store = MetricStore()
    for value, seconds in ((3.0, 119), (1.0, 60), (5.0, 180), (7.0, 0)):
        assert store.add(published(value, seconds)) == KEY
    assert store.points(MetricStat(KEY, "Sum"), 60, range(1, 4)) == {1: 4.0, 3: 5.0}


def test_other_dimensions_and_other_units_are_other_data():
    store = MetricStore()
    store.add(published(1.0, 0, unit="Count"))
    store.add(published(2.0, 0, unit="Seconds"))
    store.add(published(4.0, 0, endpoint="y"))
    assert store.points(MetricStat(KEY, "Sum"), 60, range(1)) == {0: 3.0}
    assert store.points(MetricStat(KEY, "Sum", "Count"), 60, range(1)) == {0: 1.0}
    assert store.points(MetricStat(("n", "m", frozenset()), "Sum"), 60, range(1)) == {}


def test_a_statistic_set_counts_as_the_values_it_stands_for():
    store = MetricStore()
    store.add(published_set(0, sample_count=4.0, sum=20.0, min=2.0, max=9.0))
    store.add(published(30.0, 1))
    found = {
        name: store.points(MetricStat(KEY, name), 60, range(1))[0] for name in ("SampleCount", "Average", "Maximum")
    }
    assert found == {"SampleCount": 5.0, "Average": 10.0, "Maximum": 30.0}


def test_a_percentile_of_unknown_values_is_missing():
    store = MetricStore()
    store.add(published_set(0, sample_count=4.0, sum=20.0, min=2.0, max=9.0))
    assert store.points(MetricStat(KEY, "p50"), 60, range(1)) == {}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_statistics_are_the_textbooks(values):
    data = [Datum(0.0, 1.0, value, value, value) for value in values]
    assert statistic_of("SampleCount", data) == len(values)
    assert statistic_of("Minimum", data) == min(values)
    assert statistic_of("Maximum", data) == max(values)
    assert statistic_of("Sum", data) == pytest.approx(sum(values))
    assert statistic_of("Average", data) == pytest.approx(statistics.fmean(values))
    assert statistic_of("p50", data) == pytest.approx(statistics.median(values))
    assert statistic_of("p100", data) == max(values)
    assert statistic_of("p0", data) == min(values)
