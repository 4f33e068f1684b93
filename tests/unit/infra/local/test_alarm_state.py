import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarms.state import Threshold, evaluate

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
RETAIN = "retain"


def threshold(needed, periods, missing="missing"):
    return Threshold("GreaterThanThreshold", 0.5, periods, needed, missing)


def state(points, needed, *, periods=3, missing="missing", current="OK"):
    """`points` as AWS writes them: X breaching, 0 not, - missing; the latest last."""
    values = {number: float(mark == "X") for number, mark in enumerate(points.split()) if mark != "-"}
    return evaluate(threshold(needed, periods, missing), values, len(points.split()) - 1, current).state


# The tables of "Configuring how CloudWatch alarms treat missing data": 3 evaluation periods, a range of 5.
@pytest.mark.parametrize(
    ("needed", "points", "expected"),
    [
        (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
        (3, "- - - - 0", ("OK", "OK", "OK", "OK")),
        (3, "- - - - -", ("INSUFFICIENT_DATA", RETAIN, "ALARM", "OK")),
        (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "- - X - -", ("ALARM", RETAIN, "ALARM", "OK")),
        (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - X -", ("ALARM", RETAIN, "ALARM", "OK")),
    ],
)
@pytest.mark.parametrize("current", STATES)
def test_missing_data_is_treated_as_in_the_tables_of_aws(needed, points, expected, current):
    found = tuple(state(points, needed, missing=missing, current=current) for missing in TREATMENTS)
    assert found == tuple(current if outcome == RETAIN else outcome for outcome in expected)


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_young_breach_among_missing_data_does_not_alarm_prematurely(points):
    assert state(points, 3) == "OK"


def test_one_data_point_is_enough_for_one_out_of_one():
    assert state("- - X", 1, periods=1) == "ALARM"
    assert state("- - 0", 1, periods=1, current="ALARM") == "OK"


def test_a_breach_is_looked_at_again_for_two_more_periods_and_then_is_too_old():
    assert state("X - -", 1, periods=1, missing="notBreaching", current="ALARM") == "ALARM"
    assert state("X - - -", 1, periods=1, missing="notBreaching", current="ALARM") == "OK"


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", (False, False, True)),
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_each_comparison_breaches_on_its_own_side(comparison, breaching):
    rule = Threshold(comparison, 1.0, 1, 1)
    assert tuple(rule.breached(value) for value in (0.0, 1.0, 2.0)) == breaching


MARKS = st.lists(st.sampled_from("X0-"), min_size=7, max_size=7).map(" ".join)
M_OF_N = st.integers(1, 5).flatmap(lambda periods: st.tuples(st.integers(1, periods), st.just(periods)))


@given(MARKS, M_OF_N, st.sampled_from(TREATMENTS), st.sampled_from(STATES))
def test_without_gaps_the_state_is_m_out_of_the_last_n(marks, m_of_n, missing, current):
    needed, periods = m_of_n
    full = marks.replace("-", "0")
    breaching = full.split()[-periods:].count("X")
    expected = "ALARM" if breaching >= needed else "OK"
    assert state(full, needed, periods=periods, missing=missing, current=current) == expected


@given(MARKS, M_OF_N, st.sampled_from(STATES))
def test_treating_missing_data_as_breaching_alarms_whenever_not_breaching_does(marks, m_of_n, current):
    needed, periods = m_of_n
    found = {missing: state(marks, needed, periods=periods, missing=missing, current=current) for missing in TREATMENTS}
    if found["notBreaching"] == "ALARM":
        assert set(found.values()) == {"ALARM"}
    if found["breaching"] == "OK":
        assert found["notBreaching"] == "OK"


@given(MARKS, st.integers(1, 5), st.sampled_from(TREATMENTS), st.sampled_from(STATES))
def test_what_is_older_than_the_evaluation_range_does_not_matter(marks, periods, missing, current):
    recent = marks.split()[-(periods + 2) :]
    older = ["X"] * 3
    before = state(" ".join(recent), periods, periods=periods, missing=missing, current=current)
    padded = " ".join([*older, *["-"] * (periods + 2 - len(recent)), *recent])
    assert state(padded, periods, periods=periods, missing=missing, current=current) == before
