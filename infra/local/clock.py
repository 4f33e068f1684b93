"""The local cloud's time: the machine's clock plus an offset that can only grow, and what is due at a moment of it."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

log = logging.getLogger(__name__)


class Clock:
    """Time that can be advanced, so that months can be replayed in minutes.

    Timers fire in the order they are due, never early, each seeing `now()` at or after its moment.
    """

    def __init__(self, start: datetime | None = None) -> None:
        """Begin at `start` (aware; the machine's own time unless given), so that old data can be replayed."""
        self._offset = timedelta() if start is None else start - datetime.now(UTC)
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._advancing = threading.Lock()

    def now(self) -> datetime:
        """The local cloud's time, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `moment` (at once if it has)."""
        with self._changed:
            heapq.heappush(self._timers, (moment, next(self._sequence), action))
            self._changed.notify_all()

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
                    self._changed.wait(wait)
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
            self._offset = max(self._offset, to - datetime.now(UTC))
            self._changed.notify_all()


def _fire(action: Callable[[], None]) -> None:
    """Run one timer's action; the clock goes on whatever it does."""
    try:
        action()
    except Exception:
        log.exception("a timer failed")
