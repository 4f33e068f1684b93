"""Which of an endpoint's fleets answers the next request: the one that serves, or the one that takes over from it."""

import threading
from dataclasses import dataclass
from fractions import Fraction

from infra.local.endpoints.fleet import Fleet


@dataclass(frozen=True)
class _Split:
    fleet: Fleet | None = None
    successor: Fleet | None = None
    share: Fraction = Fraction(0)


class Traffic:
    """An endpoint's requests, shared exactly: of any number of them, the successor gets its share, rounded down."""

    def __init__(self) -> None:
        self._split = _Split()
        self._credit = Fraction(0)
        self._choosing = threading.Lock()

    @property
    def fleet(self) -> Fleet | None:
        """What serves; during an update, what did before it and will again should it fail."""
        return self._split.fleet

    @property
    def fleets(self) -> list[Fleet]:
        """Every fleet that may be answering."""
        return [fleet for fleet in (self._split.fleet, self._split.successor) if fleet]

    @property
    def share(self) -> Fraction:
        """Of the requests, those that the successor answers."""
        return self._split.share

    def settle_on(self, fleet: Fleet | None) -> None:
        """Have `fleet` answer everything, and nothing else."""
        self._set(_Split(fleet))

    def share_with(self, successor: Fleet, share: Fraction) -> None:
        """Have `successor` answer this part of the requests from now on."""
        self._set(_Split(self._split.fleet, successor, share))

    def next(self) -> Fleet | None:
        """What is to answer the next request; None if nothing serves."""
        split = self._split
        if split.successor is None or not split.share:
            return split.fleet
        if split.share == 1:
            return split.successor
        with self._choosing:
            self._credit += split.share
            chosen = self._credit >= 1
            self._credit -= chosen
        return split.successor if chosen else split.fleet

    def _set(self, split: _Split) -> None:
        with self._choosing:
            self._split, self._credit = split, Fraction(0)
