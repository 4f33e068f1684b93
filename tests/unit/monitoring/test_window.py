"""Windows are the last whole period before the schedule fired."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import MonitoringError
from monitoring.spec import SCHEDULES
from monitoring.window import iso, window_before, window_end


@pytest.mark.parametrize(
    ("schedule", "moment", "start", "end"),
    [
        ("hourly", "2013-04-01T00:15:00Z", "2013-03-31T23:00:00Z", "2013-04-01T00:00:00Z"),
        ("daily", "2013-04-01T06:00:00Z", "2013-03-31T00:00:00Z", "2013-04-01T00:00:00Z"),
        ("weekly", "2013-04-01T06:00:00Z", "2013-03-25T00:00:00Z", "2013-04-01T00:00:00Z"),
        ("weekly", "2013-04-03T06:00:00Z", "2013-03-25T00:00:00Z", "2013-04-01T00:00:00Z"),
        ("monthly", "2013-05-01T06:00:00Z", "2013-04-01T00:00:00Z", "2013-05-01T00:00:00Z"),
        ("monthly", "2013-03-31T23:59:59Z", "2013-02-01T00:00:00Z", "2013-03-01T00:00:00Z"),
        ("monthly", "2013-01-01T00:00:00Z", "2012-12-01T00:00:00Z", "2013-01-01T00:00:00Z"),
    ],
)
def test_a_window_is_the_last_whole_period(schedule, moment, start, end):
    assert window_before(datetime.fromisoformat(moment), schedule).to_json() == {"start": start, "end": end}


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(SCHEDULES))  # noqa: DTZ001 - naive is asked for
def test_windows_follow_upon_one_another_without_a_gap(moment, schedule):
    window = window_before(moment.replace(tzinfo=UTC), schedule)
    assert window.end <= moment.replace(tzinfo=UTC)
    assert window_before(window.end, schedule) == window
    assert window_before(window.start, schedule).end == window.start


def test_the_end_is_read_in_its_own_time_zone():
    assert iso(window_end({"SAGESTACK_WINDOW_END": "2013-05-01T02:00:00+02:00"})) == "2013-05-01T00:00:00Z"


@pytest.mark.parametrize("text", ["yesterday", "2013-05-01T00:00:00", "<aws.scheduler.scheduled-time>"])
def test_what_is_no_time_with_a_zone_is_refused(text):
    with pytest.raises(MonitoringError, match="must be a time with its zone"):
        window_end({"SAGESTACK_WINDOW_END": text})


def test_a_missing_end_is_named():
    with pytest.raises(MonitoringError, match="SAGESTACK_WINDOW_END is not set"):
        window_end({})


def test_keys_of_the_window_lie_between_its_bounds():
    first, after = window_before(datetime(2013, 5, 1, 6, tzinfo=UTC), "monthly").keys_between()
    for inside in (
        "2013/03/31/23/57-10-skewed.jsonl",
        "2013/04/01/00/00-00-a.jsonl",
        "2013/04/30/23/b.jsonl",
        "2013/05/01/00/late.jsonl",
    ):
        assert first < inside < after
    assert first > "2013/03/31/23/54-59-a.jsonl"
