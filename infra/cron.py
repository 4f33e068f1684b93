"""AWS's cron expressions: six fields, no seconds, a year, and L, W and # for days.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
LAST_YEAR = 2199


@dataclass(frozen=True)
class Field:
    """One field's name, limits and, for months and weekdays, the names that stand for numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The values that `text` allows: `*`, lists, ranges, steps, names.

        Raises:
            ValueError: it is none of those, or out of the field's limits.
        """
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def number(self, text: str) -> int:
        """One value, as a number or a name.

        Raises:
            ValueError: it is neither, or out of the field's limits.
        """
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not re.fullmatch(r"[0-9]+", text) or not self.low <= int(text) <= self.high:
            raise ValueError(f"{self.name} {text!r} is not between {self.low} and {self.high}")
        return int(text)

    def _part(self, part: str) -> range:
        span, has_step, step = part.partition("/")
        if has_step and (not step.isdecimal() or int(step) == 0):
            raise ValueError(f"{self.name} {part!r}: the step must be a whole number above 0")
        if span == "*":
            first, last = self.low, self.high
        elif "-" in span:
            first, last = (self.number(end) for end in span.split("-", 1))
        else:
            first = self.number(span)
            last = self.high if has_step else first
        if first > last:
            raise ValueError(f"{self.name} {part!r}: the range runs backwards")
        return range(first, last + 1, int(step) if has_step else 1)


MINUTE, HOUR, YEAR = Field("minute", 0, 59), Field("hour", 0, 23), Field("year", 1970, LAST_YEAR)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
WEEKDAY = Field("day of week", 1, 7, WEEKDAYS)


@dataclass(frozen=True)
class Cron:
    """A parsed expression. It speaks of wall-clock time: moments have no time zone here."""

    minutes: frozenset[int]
    hours: frozenset[int]
    day_of_month: str
    months: frozenset[int]
    day_of_week: str
    years: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Parse what stands between the parentheses of `cron(...)`.

        Raises:
            ValueError: it is not six fields, or a field is wrong; the message says which.
        """
        fields = text.split()
        if len(fields) != 6:  # noqa: PLR2004 - the message names them
            raise ValueError(f"{text!r} has {len(fields)} fields, not 6: minute hour day month weekday year")
        minute, hour, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise ValueError(f"{text!r}: exactly one of day of month and day of week must be '?'")
        cron = cls(MINUTE.parse(minute), HOUR.parse(hour), day, MONTH.parse(month), weekday, YEAR.parse(year))
        cron._days(2000, 1)  # the day fields mean different days in different months: this only checks them
        return cron

    def next(self, after: datetime) -> datetime | None:
        """The first matching minute after `after`; None if there is none before the year 2200."""
        earliest = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._dates_from(earliest.date()):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = datetime.combine(day, time(hour, minute))
                    if moment >= earliest:
                        return moment
        return None

    def _dates_from(self, first: date) -> Iterator[date]:
        for year in range(first.year, LAST_YEAR + 1):
            for month in sorted(self.months) if year in self.years else ():
                for day in sorted(self._days(year, month)):
                    if (year, month, day) >= (first.year, first.month, first.day):
                        yield date(year, month, day)

    def _days(self, year: int, month: int) -> set[int]:
        if self.day_of_week == "?":
            days = (_days_of_month(part, year, month) for part in self.day_of_month.split(","))
        else:
            days = (_days_of_week(part, year, month) for part in self.day_of_week.split(","))
        return set().union(*days)


def _days_of_month(part: str, year: int, month: int) -> set[int]:
    last = monthrange(year, month)[1]
    if part == "L":
        return {last}
    if part.endswith("W"):
        day = last if part == "LW" else DAY.number(part[:-1])
        return {_nearest_weekday(year, month, day)} if day <= last else set()
    return {day for day in DAY.parse(part) if day <= last}


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Monday to Friday, not leaving the month."""
    last = monthrange(year, month)[1]
    near = (day, day - 1, day + 1, day + 2, day - 2)
    return next(d for d in near if 1 <= d <= last and date(year, month, d).isoweekday() <= 5)  # noqa: PLR2004 - Friday


def _days_of_week(part: str, year: int, month: int) -> set[int]:
    last = monthrange(year, month)[1]
    if part == "L":
        part = "SAT"
    if part.endswith("L") and part.upper() not in WEEKDAYS:
        return {max(_weekday_dates({WEEKDAY.number(part[:-1])}, year, month))}
    if "#" in part:
        weekday, _, occurrence = part.partition("#")
        nth = Field("occurrence in the month", 1, 5).number(occurrence)
        first = min(_weekday_dates({WEEKDAY.number(weekday)}, year, month))
        day = first + 7 * (nth - 1)
        return {day} if day <= last else set()
    return _weekday_dates(WEEKDAY.parse(part), year, month)


def _weekday_dates(weekdays: set[int] | frozenset[int], year: int, month: int) -> set[int]:
    days = range(1, monthrange(year, month)[1] + 1)
    return {day for day in days if date(year, month, day).isoweekday() % 7 + 1 in weekdays}
