"""The minutes after a variant's last request: what there is to say is said for a while, so that policies scale in."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from infra.local.clock import Clock

MINUTE = timedelta(minutes=1)
Key = tuple[str, str]
"""Endpoint and variant."""
QUIET_MINUTES = 30
"""After the last request, or change of capacity: what looks at a quarter of an hour, and then waits, has seen enough.
Said for ever it would cost something in every minute of the months that the clock is advanced by."""
LONE_QUIET_MINUTES = 5
"""For a variant with one instance: there is nothing to scale in, but one busy minute must not pass for three."""


class Quiet:
    """Calls `say` with a key and the begin of each minute, once it is over, `QUIET_MINUTES` at most."""

    def __init__(self, clock: Clock, say: Callable[[Key, datetime], None]) -> None:
        self._clock, self._say = clock, say
        self._expected: dict[Key, tuple[datetime, int]] = {}
        """The minute that is told of when it is over, and how many are left with it, unless that is called off."""
        self._lock = threading.Lock()

    def begin(self, key: Key, minute: datetime, left: int = QUIET_MINUTES) -> None:
        """Have `minute`, and those that follow it, be quiet ones of this key."""
        with self._lock:
            if not left:
                self._expected.pop(key, None)
                return
            self._expected[key] = minute, left
        self._clock.at(minute + MINUTE, lambda: self._over(key, minute, left))

    def end(self, key: Key) -> None:
        """A request has come."""
        with self._lock:
            self._expected.pop(key, None)

    def _over(self, key: Key, minute: datetime, left: int) -> None:
        if self._expected.get(key) == (minute, left):
            self._say(key, minute)
            self.begin(key, minute + MINUTE, left - 1)
