"""Event ids seen before: SageMaker writes a record at least once, and the second time is no second event.

Two records of one id are taken for the same: which of them counts is left open, as files are read side by side.
Ids are remembered as 64-bit hashes in one open-addressing table, some 12 bytes each, for as long as an hour's files are
read. Among ten million ids, the chance that any two share a hash is one in 370,000.
"""

from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
"""One hash an id; 0 where there is no id."""

WORD: Final = 8
FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
SHIFT: Final = np.uint64(32)
FIRST_SLOTS: Final = 1 << 14
FULLEST: Final = 0.7


def hashes(ids: pl.Series) -> Hashes:
    """As `scan_hash` in native/scan.c: eight bytes at a time, the last of them filled up with zeros."""
    texts = [(text or "").encode() for text in ids.to_list()]
    words = max((-(-len(text) // WORD) for text in texts), default=0)
    data = np.frombuffer(b"".join(text.ljust(words * WORD, b"\0") for text in texts), dtype="<u8")
    lengths = np.array([len(text) for text in texts])
    found: Hashes = np.zeros(len(texts), dtype=np.uint64)
    for place, word in enumerate(data.reshape(len(texts), -1).T if words else ()):
        mixed = (found ^ word) * FACTOR
        found = np.where(lengths > place * WORD, mixed ^ (mixed >> SHIFT), found)
    return found


class SeenEvents:
    """The events of one hour's files, for many threads to look up and to remember."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: Hashes = np.zeros(FIRST_SLOTS, dtype=np.uint64)
        self._count = 0

    def first(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """Whether each id is seen for the first time, now and among `ids`; one without an id always is."""
        known, where = np.unique(ids, return_index=True)
        fresh: npt.NDArray[np.bool_] = np.equal(ids, 0)
        with self._lock:
            self._make_room(len(known))
            fresh[where] |= self._add(known)
        return fresh

    def _make_room(self, more: int) -> None:
        size = len(self._slots)
        while self._count + more > FULLEST * size:
            size *= 2
        if size > len(self._slots):
            known, self._slots, self._count = self._slots[self._slots != 0], np.zeros(size, dtype=np.uint64), 0
            self._add(known)

    def _add(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """Put distinct `ids` into the table, all at once, one probe further each time round; which of them are new."""
        mask = np.uint64(len(self._slots) - 1)
        slot, fresh = ids & mask, np.zeros(len(ids), dtype=bool)
        waiting = np.flatnonzero(ids)
        while waiting.size:
            wanted, at = ids[waiting], slot[waiting]
            found = self._slots[at]
            free = found == 0
            self._slots[at[free]] = wanted[free]
            placed = free & (self._slots[at] == wanted)
            fresh[waiting[placed]] = True
            waiting = waiting[~(placed | (found == wanted))]
            slot[waiting] = (slot[waiting] + np.uint64(1)) & mask
        self._count += int(fresh.sum())
        return fresh
