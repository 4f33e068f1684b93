"""The window a drift job looks at: as long as its schedule's period, ending when the schedule fired."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from monitoring.contract import WINDOW_END_VARIABLE
from monitoring.errors import MonitoringError

PERIODS: Final = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
LATE: Final = timedelta(hours=1)
"""SageMaker writes a record into the hour in which it flushes its buffer, which may be the hour after the inference."""


@dataclass(frozen=True)
class Window:
    """From `start` to before `end`, aware, in UTC."""

    start: datetime
    end: datetime

    def keys_between(self) -> tuple[str, str]:
        """The first hour's folder and the one after the last hour's, as capture keys spell them (`yyyy/mm/dd/hh`).

        Keys sort as time does, so everything captured in the window lies between the two.
        """
        return _hour(self.start), _hour(self.end + LATE + timedelta(hours=1))

    def to_json(self) -> dict[str, str]:
        """As reports hold it."""
        return {"start": iso(self.start), "end": iso(self.end)}


def window_ending(end: datetime, schedule: str) -> Window:
    """The window of one period of `schedule` before `end`; a month is a calendar month, not 30 days."""
    if schedule == "monthly":
        return Window(_month_before(end), end)
    return Window(end - PERIODS[schedule], end)


def window_end(environment: Mapping[str, str]) -> datetime:
    """When the window ends, from the job's environment.

    Raises:
        MonitoringError: the variable is missing, no ISO 8601 time, or has no time zone.
    """
    text = environment.get(WINDOW_END_VARIABLE)
    if not text:
        raise MonitoringError(
            f"{WINDOW_END_VARIABLE} is not set: it says when the window ends, as 2013-05-01T00:00:00Z"
        )
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise MonitoringError(
            f"{WINDOW_END_VARIABLE} is {text!r}: must be a time with its zone, as 2013-05-01T00:00:00Z"
        )
    return end.astimezone(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 with a Z, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _month_before(moment: datetime) -> datetime:
    last = moment.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(moment.day, calendar.monthrange(last.year, last.month)[1]))


def _hour(moment: datetime) -> str:
    return f"{moment:%Y/%m/%d/%H}"
