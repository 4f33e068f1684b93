from calendar import monthrange
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cron import MONTHS, WEEKDAYS, Cron


def after(expression, moment):
    return Cron.parse(expression).next(datetime.fromisoformat(moment))


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 6 1 * ? *", "2013-04-01T06:00", "2013-05-01T06:00"),
        ("0 6 1 * ? *", "2013-04-01T05:59:59", "2013-04-01T06:00"),
        ("*/15 * * * ? *", "2013-01-01T00:07", "2013-01-01T00:15"),
        ("0 12 ? * MON-FRI *", "2013-06-07T12:00", "2013-06-10T12:00"),
        ("0 0 L * ? *", "2012-02-10T00:00", "2012-02-29T00:00"),
        ("0 0 LW * ? *", "2013-06-01T00:00", "2013-06-28T00:00"),
        ("0 0 15W * ? *", "2013-06-01T00:00", "2013-06-14T00:00"),  # the 15th is a Saturday
        ("0 0 1W 6 ? *", "2013-01-01T00:00", "2013-06-03T00:00"),  # not back into May
        ("0 0 31W * ? *", "2013-02-01T00:00", "2013-03-29T00:00"),
        ("0 0 ? * 6L *", "2013-06-01T00:00", "2013-06-28T00:00"),
        ("0 0 ? * 3#2 *", "2013-06-01T00:00", "2013-06-11T00:00"),
        ("0 0 ? * FRI#5 *", "2013-01-26T00:00", "2013-03-29T00:00"),
        ("0 0 ? * L *", "2013-06-02T00:00", "2013-06-08T00:00"),
        ("0 0 29 FEB ? *", "2013-01-01T00:00", "2016-02-29T00:00"),
        ("0 0 1 1 ? 2020/5", "2021-01-01T00:00", "2025-01-01T00:00"),
        ("0 0 ? jan,JUL sun *", "2013-02-01T00:00", "2013-07-07T00:00"),
    ],
)
def test_the_next_moment_is_the_one_that_aws_would_choose(expression, moment, expected):
    assert after(expression, moment) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("expression", ["0 0 30 2 ? *", "0 0 1 1 ? 2012"])
def test_an_expression_that_never_matches_again_has_no_next_moment(expression):
    assert after(expression, "2013-01-01T00:00") is None


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("0 6 1 * ?", "5 fields, not 6"),
        ("0 6 1 * * *", "exactly one of day of month and day of week"),
        ("0 6 ? * ? *", "exactly one of day of month and day of week"),
        ("60 6 1 * ? *", "minute '60' is not between 0 and 59"),
        ("0 6 0 * ? *", "day of month '0' is not between 1 and 31"),
        ("0 6 1 FOO ? *", "month 'FOO'"),
        ("0 6 1 5-3 ? *", "runs backwards"),
        ("*/0 6 1 * ? *", "step must be a whole number above 0"),
        ("0 6 ? * 2#6 *", "occurrence in the month '6'"),
        ("0 6 1, * ? *", "day of month ''"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_field(expression, complaint):
    with pytest.raises(ValueError, match=complaint):
        Cron.parse(expression)


def listed(values, names=()):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(
        lambda chosen: (set(chosen), ",".join(names[v - 1] if names and v % 2 else str(v) for v in chosen))
    )


def days_that_match(first, months, allowed):
    day = first
    while day < first + timedelta(days=8 * 366):
        if day.month in months and allowed(day):
            yield day
        day += timedelta(days=1)


@settings(max_examples=50)
@given(
    minutes=listed(range(60)),
    hours=listed(range(24)),
    months=listed(range(1, 13), MONTHS),
    day=st.one_of(
        st.tuples(st.just("day of month"), listed(range(1, 32))),
        st.tuples(st.just("day of week"), listed(range(1, 8), WEEKDAYS)),
    ),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - wall-clock time
)
def test_the_next_moment_is_the_first_that_brute_force_finds(*, minutes, hours, months, day, moment):
    kind, (days, text) = day
    day_of_month, day_of_week = (text, "?") if kind == "day of month" else ("?", text)
    found = Cron.parse(f"{minutes[1]} {hours[1]} {day_of_month} {months[1]} {day_of_week} *").next(moment)

    def allowed(date):
        return date.day in days if kind == "day of month" else date.isoweekday() % 7 + 1 in days

    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    candidates = (
        date + timedelta(hours=hour, minutes=minute)
        for date in days_that_match(midnight, months[0], allowed)
        for hour in sorted(hours[0])
        for minute in sorted(minutes[0])
    )
    expected = next((candidate for candidate in candidates if candidate > moment), None)
    assert found == expected
    assert found is None or found > moment


@given(st.integers(1900 + 80, 2100), st.integers(1, 12))
def test_the_last_day_of_the_month_is_the_calendars(year, month):
    moment = datetime(year, month, 1)  # noqa: DTZ001 - wall-clock time
    assert Cron.parse("0 12 L * ? *").next(moment).day == monthrange(year, month)[1]
