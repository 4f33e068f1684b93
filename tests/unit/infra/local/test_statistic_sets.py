import math

from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarms.metric_store import Datum, statistic_of
from infra.local.endpoints.statistic_sets import Distribution

values = st.lists(st.floats(0, 1e8).filter(lambda value: value == 0 or value > 1e-6), min_size=1, max_size=200)


def told(given_values):
    distribution = Distribution()
    for value in given_values:
        distribution.add(value)
    return [Datum(0.0, s["SampleCount"], s["Sum"], s["Minimum"], s["Maximum"]) for s in distribution.sets()]


@given(values)
def test_count_and_sum_are_those_of_the_values(given_values):
    data = told(given_values)
    assert statistic_of("SampleCount", data) == len(given_values)
    assert math.isclose(statistic_of("Sum", data), sum(given_values), rel_tol=1e-9)


@given(values)
def test_extremes_and_percentiles_are_at_most_five_percent_off(given_values):
    data, ordered = told(given_values), sorted(given_values)
    for statistic, exact in (("Minimum", ordered[0]), ("Maximum", ordered[-1]), ("p100", ordered[-1])):
        assert math.isclose(statistic_of(statistic, data), exact, rel_tol=0.05)
    exact = statistic_of("p90", [Datum(0.0, 1, value, value, value) for value in given_values])
    assert math.isclose(statistic_of("p90", data), exact, rel_tol=0.05)
