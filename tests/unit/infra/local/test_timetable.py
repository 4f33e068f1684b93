from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.clock import Clock
from infra.local.events import timetable

START = datetime(2013, 1, 1, tzinfo=UTC)


def moments(expression, start, count, zone="UTC"):
    due, moment = timetable.parse(expression, START, zone), datetime.fromisoformat(start)
    found = []
    for _ in range(count):
        moment = due(moment)
        found.append(moment and moment.isoformat())
    return found


def test_a_rate_counts_from_its_anchor():
    assert moments("rate(7 days)", "2013-01-10T00:00:00Z", 2) == [
        "2013-01-15T00:00:00+00:00",
        "2013-01-22T00:00:00+00:00",
    ]


def test_a_rate_that_begins_later_fires_first_at_its_beginning():
    assert moments("rate(1 hour)", "2012-12-01T00:00:00Z", 1) == ["2013-01-01T00:00:00+00:00"]


def test_cron_follows_daylight_saving_in_its_time_zone():
    found = moments("cron(0 6 1 * ? *)", "2013-03-01T12:00:00Z", 2, "America/New_York")
    assert found == ["2013-04-01T10:00:00+00:00", "2013-05-01T10:00:00+00:00"]


def test_a_time_that_daylight_saving_skips_does_not_happen():
    found = moments("cron(30 2 * * ? *)", "2013-03-09T12:00:00Z", 1, "America/New_York")
    assert found == ["2013-03-11T06:30:00+00:00"]


def test_a_time_that_daylight_saving_repeats_happens_once():
    found = moments("cron(30 1 * * ? *)", "2013-11-02T12:00:00Z", 2, "America/New_York")
    assert found == ["2013-11-03T05:30:00+00:00", "2013-11-04T06:30:00+00:00"]


def test_at_happens_once():
    found = moments("at(2013-05-01T12:00:00)", "2013-01-01T00:00:00Z", 1, "Europe/Berlin")
    assert found == ["2013-05-01T10:00:00+00:00"]
    assert moments("at(2013-05-01T12:00:00)", "2013-05-01T12:00:00Z", 1) == [None]


@pytest.mark.parametrize(
    "expression",
    ["rate(0 days)", "rate(1 days)", "rate(2 day)", "rate(5 weeks)", "cron(0 6 1)", "at(2013-05-01)", "every day", ""],
)
def test_a_wrong_expression_is_refused(expression):
    with pytest.raises(ValueError, match=r".+"):
        timetable.parse(expression, START)


def test_an_unknown_time_zone_is_refused_by_name():
    with pytest.raises(ValueError, match="'Mars/Olympus' is not a time zone"):
        timetable.parse("cron(0 6 1 * ? *)", START, "Mars/Olympus")


@given(st.integers(1, 10_000), st.sampled_from(["minute", "hour", "day"]), st.datetimes(timezones=st.just(UTC)))
def test_a_rates_next_moment_is_the_first_multiple_after_now(number, unit, now):
    interval = timedelta(**{f"{unit}s": number})
    if now > datetime(9000, 1, 1, tzinfo=UTC):
        return
    due = timetable.parse(f"rate({number} {unit}{'s' if number > 1 else ''})", START)(now)
    assert due > now
    assert (due - START) % interval == timedelta()
    assert due == START or due - now <= interval


def test_what_recurs_fires_at_each_moment_that_the_clock_passes():
    clock, fired = Clock(), []
    begin = clock.now()
    due = timetable.parse("rate(1 day)", begin)
    timetable.Recurring(clock).arm("x", due, fired.append)
    clock.advance(begin + timedelta(days=3, hours=1))
    assert fired == [begin + timedelta(days=days) for days in (1, 2, 3)]


def test_arming_anew_and_disarming_make_earlier_timers_void():
    clock, fired = Clock(), []
    begin, recurring = clock.now(), timetable.Recurring(clock)
    recurring.arm("x", timetable.parse("rate(1 hour)", begin), lambda _: fired.append("old"))
    recurring.arm("x", timetable.parse("rate(1 day)", begin), lambda _: fired.append("new"))
    clock.advance(begin + timedelta(days=1, minutes=1))
    recurring.disarm("x")
    clock.advance(begin + timedelta(days=3))
    assert fired == ["new"]
