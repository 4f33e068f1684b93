"""Event ids seen before: SageMaker writes a record at least once, and the second time is no second event.

Two records of one id are taken for the same: which of them counts is left open, as files are read side by side.
Ids are remembered as 64-bit hashes in one open-addressing table, some 12 bytes each, for as long as an hour's files are
read. Among ten million ids, the chance that any two share a hash is one in 370,000.
"""

import ctypes
from functools import partial
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.library import scan_library

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
        library = scan_library()
        self._add = partial(_add_compiled, library) if library else _add

    def first(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """Whether each id is seen for the first time, now and among `ids`; one without an id always is."""
        with self._lock:
            self._make_room(len(ids))
            return self._remember(ids)

    def _make_room(self, more: int) -> None:
        size = len(self._slots)
        while self._count + more > FULLEST * size:
            size *= 2
        if size > len(self._slots):
            known, self._slots, self._count = self._slots[self._slots != 0], np.zeros(size, dtype=np.uint64), 0
            self._remember(known)

    def _remember(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        fresh = self._add(self._slots, ids)
        self._count += int(np.count_nonzero(fresh & (ids != 0)))
        return fresh


def _add_compiled(library: ctypes.CDLL, slots: Hashes, ids: Hashes) -> npt.NDArray[np.bool_]:
    """Put `ids` into the table, which has room for them; whether each is new."""
    ids, fresh = np.ascontiguousarray(ids), np.empty(len(ids), dtype=np.bool_)
    table = ctypes.c_void_p(slots.ctypes.data), ctypes.c_int64(len(slots) - 1)
    library.scan_first(
        *table, ctypes.c_void_p(ids.ctypes.data), ctypes.c_int64(len(ids)), ctypes.c_void_p(fresh.ctypes.data)
    )
    return fresh


def _add(slots: Hashes, ids: Hashes) -> npt.NDArray[np.bool_]:
    """The same without a library: all at once, one probe further each time round."""
    known, where = np.unique(ids, return_index=True)
    mask = np.uint64(len(slots) - 1)
    slot, fresh = known & mask, np.zeros(len(known), dtype=bool)
    waiting = np.flatnonzero(known)
    while waiting.size:
        wanted, at = known[waiting], slot[waiting]
        found = slots[at]
        free = found == 0
        slots[at[free]] = wanted[free]
        placed = free & (slots[at] == wanted)
        fresh[waiting[placed]] = True
        waiting = waiting[~(placed | (found == wanted))]
        slot[waiting] = (slot[waiting] + np.uint64(1)) & mask
    first: npt.NDArray[np.bool_] = np.equal(ids, 0)
    first[where] |= fresh
    return first
