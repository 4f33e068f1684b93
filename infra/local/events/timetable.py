"""When a schedule is due: `rate(...)`, `cron(...)` in a time zone, `at(...)`; and a clock's timers for what recurs."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.cron import Cron
from infra.local.clock import Clock

Timetable = Callable[[datetime], datetime | None]
"""Given a moment, the first one after it that is due; None if there is none any more."""


def parse(expression: str, anchor: datetime, zone: str = "UTC") -> Timetable:
    """What a schedule expression means.

    Args:
        expression: `rate(5 minutes)`, `cron(0 6 1 * ? *)` or `at(2013-05-01T00:00:00)`.
        anchor: Where a rate counts from; its first firing is the first multiple after the moment asked about.
        zone: The IANA time zone of cron and at.

    Raises:
        ValueError: the expression or the time zone is none that AWS would take; the message says why.
    """
    match = re.fullmatch(r"(rate|cron|at)\((.+)\)", expression.strip())
    if not match:
        raise ValueError(f"{expression!r} is not rate(...), cron(...) or at(...)")
    kind, body = match.groups()
    if kind == "rate":
        return _rate(body, anchor)
    return _cron(body, _zone(zone)) if kind == "cron" else _at(body, _zone(zone))


def between(due: Timetable, start: datetime | None, end: datetime | None) -> Timetable:
    """A timetable of which only what is due from `start` to `end` counts, both included."""

    def within(after: datetime) -> datetime | None:
        moment = due(max(after, start - timedelta(microseconds=1)) if start else after)
        return None if moment is None or (end and moment > end) else moment

    return within


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone") from None


def _rate(body: str, anchor: datetime) -> Timetable:
    match = re.fullmatch(r"([1-9][0-9]*) (minute|hour|day)(s?)", body)
    if not match or (match[1] == "1") == bool(match[3]):
        raise ValueError(f"'rate({body})' is not like rate(1 hour) or rate(5 minutes)")
    interval = timedelta(**{f"{match[2]}s": int(match[1])})

    def due(after: datetime) -> datetime:
        return max(anchor, anchor + ((after - anchor) // interval + 1) * interval)

    return due


def _cron(body: str, zone: ZoneInfo) -> Timetable:
    cron = Cron.parse(body)

    def due(after: datetime) -> datetime | None:
        wall: datetime | None = after.astimezone(zone).replace(tzinfo=None)
        while wall and (wall := cron.next(wall)):
            moment = wall.replace(tzinfo=zone).astimezone(UTC)
            # A wall-clock time that daylight saving skips does not happen; one that it repeats happens once.
            if moment > after and moment.astimezone(zone).replace(tzinfo=None) == wall:
                return moment
        return None

    return due


def _at(body: str, zone: ZoneInfo) -> Timetable:
    try:
        moment = datetime.strptime(body, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise ValueError(f"'at({body})' is not like at(2013-05-01T00:00:00)") from None
    return lambda after: moment if moment > after else None


@dataclass(frozen=True, eq=False)
class _Arming:
    """Something that recurs, as it was armed; armed anew, it is another."""

    timetable: Timetable
    fire: Callable[[datetime], None]


class Recurring:
    """Timers for things that recur, by key: arming a key again, or disarming it, makes its earlier timers void."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: dict[str, _Arming] = {}
        self._lock = threading.Lock()

    def arm(self, key: str, timetable: Timetable, fire: Callable[[datetime], None]) -> None:
        """Call `fire` with each due moment from now on, until it is armed anew or disarmed."""
        arming = _Arming(timetable, fire)
        with self._lock:
            self._armed[key] = arming
        self._arm_next(key, arming, self._clock.now())

    def disarm(self, key: str) -> None:
        """Fire no more."""
        with self._lock:
            self._armed.pop(key, None)

    def _arm_next(self, key: str, arming: _Arming, after: datetime) -> None:
        moment = arming.timetable(after)
        if moment is None:
            return

        def ring() -> None:
            if self._armed.get(key) is arming:
                # Armed first, so that `fire` may disarm it.
                self._arm_next(key, arming, moment)
                arming.fire(moment)

        self._clock.at(moment, ring)
