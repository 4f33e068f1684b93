"""The local cloud's time: it runs as the machine's does, can be moved on, and knows what is due at a moment of it."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

log = logging.getLogger(__name__)

TIME_LAPSE = 120.0
"""How many seconds pass in one of the machine's while somebody waits (`expect`): a bake of ten minutes takes five
seconds of a deploy."""


class Clock:
    """Time that can be advanced, so that months can be replayed in minutes.

    Timers fire in the order they are due, never early, each seeing `now()` at or after its moment.
    """

    def __init__(self, start: datetime | None = None, time_lapse: float = TIME_LAPSE) -> None:
        """Begin at `start` (aware; the machine's own time unless given), so that old data can be replayed."""
        machine = datetime.now(UTC)
        self._pace = _Pace(start or machine, machine)
        self._time_lapse = time_lapse
        self._expected: set[object] = set()
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._advancing = threading.Lock()

    def now(self) -> datetime:
        """The local cloud's time, aware, in UTC."""
        return self._pace.reading()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `moment` (at once if it has)."""
        with self._changed:
            heapq.heappush(self._timers, (moment, next(self._sequence), action))
            self._changed.notify_all()

    def expect(self, moment: datetime, action: Callable[[], None]) -> Callable[[], bool]:
        """Like `at`, with somebody waiting for it: until then the clock runs faster, so that the wait is a short one.

        Returns:
            What calls it off; True if it has done so before `action` was run.
        """
        token = object()

        def call_off() -> bool:
            with self._changed:
                pending = token in self._expected
                self._expected.discard(token)
                self._set_pace(self.now())
                return pending

        with self._changed:
            self._expected.add(token)
            self._set_pace(self.now())
        self.at(moment, lambda: action() if call_off() else None)
        return call_off

    def advance(self, to: datetime, settle: Callable[[], None] = lambda: None) -> None:
        """Move to `to`, firing what is due on the way; `settle` runs after each, so that what it began can end.

        Raises:
            ValueError: `to` lies in the past.
        """
        with self._advancing:
            if to < self.now():
                now = self.now()
                raise ValueError(
                    f"the clock reads {now:%Y-%m-%dT%H:%M:%SZ} and cannot go back to {to:%Y-%m-%dT%H:%M:%SZ}"
                )
            settle()
            while due := self._next_due(to):
                moment, action = due
                self._move(moment)
                _fire(action)
                settle()
            self._move(to)

    def run(self) -> None:
        """Fire timers as time passes; the local cloud's timer thread runs this for ever."""
        while True:
            with self._changed:
                wait = (self._timers[0][0] - self.now()).total_seconds() if self._timers else None
                if wait is None or wait > 0:
                    self._changed.wait(wait and wait / self._pace.speed)
                    continue
            with self._advancing:
                if due := self._next_due(self.now()):
                    _fire(due[1])

    def _next_due(self, until: datetime) -> tuple[datetime, Callable[[], None]] | None:
        with self._changed:
            if not self._timers or self._timers[0][0] > until:
                return None
            moment, _, action = heapq.heappop(self._timers)
            return moment, action

    def _move(self, to: datetime) -> None:
        with self._changed:
            self._set_pace(max(to, self.now()))

    def _set_pace(self, reading: datetime) -> None:
        self._pace = _Pace(reading, datetime.now(UTC), self._time_lapse if self._expected else 1.0)
        self._changed.notify_all()


@dataclass(frozen=True)
class _Pace:
    """How the clock has run since its reading was last set."""

    since: datetime
    machine: datetime
    """What the machine's own clock read then."""
    speed: float = 1.0

    def reading(self) -> datetime:
        return self.since + (datetime.now(UTC) - self.machine) * self.speed


def _fire(action: Callable[[], None]) -> None:
    """Run one timer's action; the clock goes on whatever it does."""
    try:
        action()
    except Exception:
        log.exception("a timer failed")
