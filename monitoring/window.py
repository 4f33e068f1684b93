"""The window a drift job looks at: the last whole hour, day, week or month before its schedule fired."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from monitoring.contract import WINDOW_END_VARIABLE
from monitoring.errors import MonitoringError

LATE: Final = timedelta(hours=1)
"""SageMaker writes a record into the hour in which it flushes its buffer, which may be the hour after the inference."""

SKEW: Final = timedelta(minutes=5)
"""So far may the clock that names a file be behind the one that stamps its records."""


@dataclass(frozen=True)
class Window:
    """From `start` to before `end`, aware, in UTC."""

    start: datetime
    end: datetime

    def keys_between(self) -> tuple[str, str]:
        """Where to begin, and the folder after the last hour's, as capture keys spell them (`yyyy/mm/dd/hh/MM-SS…`).

        Keys sort as time does, so everything captured in the window lies between the two.
        """
        return f"{self.start - SKEW:%Y/%m/%d/%H/%M}", _hour(self.end + LATE + timedelta(hours=1))

    def to_json(self) -> dict[str, str]:
        """As reports hold it."""
        return {"start": iso(self.start), "end": iso(self.end)}


def window_before(moment: datetime, schedule: str) -> Window:
    """The last whole period of `schedule` that is over at `moment`: a month, a week from Monday, a day or an hour.

    A schedule fires some time into the next period, so that the window's last captured files have landed.
    """
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if schedule == "hourly":
        return Window(hour - timedelta(hours=1), hour)
    end = hour.replace(hour=0)
    if schedule == "daily":
        return Window(end - timedelta(days=1), end)
    if schedule == "weekly":
        end -= timedelta(days=end.weekday())
        return Window(end - timedelta(weeks=1), end)
    end = end.replace(day=1)
    return Window((end - timedelta(days=1)).replace(day=1), end)


def window_end(environment: Mapping[str, str]) -> datetime:
    """The moment at or before which the window ends, from the job's environment.

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


def _hour(moment: datetime) -> str:
    return f"{moment:%Y/%m/%d/%H}"
