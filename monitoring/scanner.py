"""The compiled reader of ordinary capture records (`native/scan.c`): JSON Lines to columns, without the GIL.

The monitoring image compiles it while it is built. Where there is no such library, `monitoring.capture` reads every
record, as it does those that the library hands back; both read the same.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from monitoring.bins import Bins, CategoricalBins, Numbers, Places
from monitoring.event_ids import Hashes
from monitoring.library import scan_library
from monitoring.window import Window, iso

CAPACITY: Final = 8192
"""Rows read at a time: their columns stay in the processor's cache until they are counted."""


@dataclass(frozen=True)
class Scanned:
    """What the ordinary lines of a text hold, and the other lines.

    Attributes:
        numbers: Shape (numeric inputs + 1, rows): the numeric inputs in the signature's order, NaN where missing; last
            the score, NaN where none was captured.
        places: Shape (categorical inputs, rows): the bin that each category is counted in.
        ids: Shape (records,): the hash of each record's event id.
        rows: Shape (records,): how many rows each record has.
        outside: Records outside the window, which have no rows here.
        rest: Lines that are for the careful reader.
    """

    numbers: Numbers
    places: Places
    ids: Hashes
    rows: npt.NDArray[np.int64]
    outside: int
    rest: list[bytes]

    def only(self, records: npt.NDArray[np.bool_]) -> "Scanned":
        """With the rows of the chosen records alone."""
        rows = np.repeat(records, self.rows)
        return Scanned(
            self.numbers[:, rows], self.places[:, rows], self.ids[records], self.rows[records], self.outside, self.rest
        )


class _Text(ctypes.Structure):
    _fields_ = (("at", ctypes.c_char_p), ("size", ctypes.c_int64))


class _Categories(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("keys", "bounds", "bins", "slots")),
        ("mask", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("fresh", "missing")),
    )


class _Layout(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("places", "categories")),
        ("header", _Text),
        *((name, ctypes.c_char * 20) for name in ("start", "end")),
        *((name, ctypes.c_int32) for name in ("fields", "numeric")),
    )


class _Columns(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("numbers", "codes", "ids", "rows", "rest")),
        *((name, ctypes.c_int64) for name in ("capacity", "row", "used", "outside", "handed_back")),
    )


class Scanner:
    """Reads the traffic of one model in one window; any number of threads may scan at once."""

    def __init__(self, library: ctypes.CDLL, features: Sequence[Bins], window: Window) -> None:
        self._scan = library.scan
        self._scan.restype = ctypes.c_int64
        self._scan.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        self._fields = len(features)
        categorical = [each for each in features if isinstance(each, CategoricalBins)]
        self._numeric, self._categorical = len(features) - len(categorical), len(categorical)
        self._kept: list[Any] = []
        tables = (_Categories * max(len(categorical), 1))(*(self._table(library, each) for each in categorical))
        header = ",".join(each.name for each in features).encode()
        self._layout = _Layout(
            self._keep(_places(features)), ctypes.addressof(tables), _Text(header, len(header)),
            iso(window.start).encode(), iso(window.end).encode(), len(features), self._numeric,
        )  # fmt: skip
        self._kept += [tables, header]

    def scan(self, text: bytes | memoryview) -> Iterator[Scanned]:
        """Read whole lines, up to `CAPACITY` rows at a time."""
        start = 0
        while start < len(text):
            scanned, read = self._scan_from(text, start)
            yield scanned
            start += read

    def _scan_from(self, text: bytes | memoryview, start: int) -> tuple[Scanned, int]:
        numbers: Numbers = np.empty((self._numeric + 1, CAPACITY))
        places: Places = np.empty((self._categorical, CAPACITY), dtype=np.int32)
        ids: Hashes = np.empty(CAPACITY, dtype=np.uint64)
        rows, rest = np.empty(CAPACITY, dtype=np.int64), np.empty((CAPACITY, 2), dtype=np.int64)
        columns = _Columns(*(array.ctypes.data for array in (numbers, places, ids, rows, rest)), CAPACITY)
        left = np.frombuffer(text, dtype=np.uint8, offset=start)
        read = self._scan(ctypes.byref(self._layout), ctypes.byref(columns), left.ctypes.data, len(left))
        others = [left[begin:end].tobytes() for begin, end in rest[: columns.handed_back].tolist()]
        row, used = columns.row, columns.used
        return Scanned(numbers[:, :row], places[:, :row], ids[:used], rows[:used], columns.outside, others), int(read)

    def _table(self, library: ctypes.CDLL, bins: CategoricalBins) -> _Categories:
        own, rare = [each.encode() for each in bins.categories], [each.encode() for each in bins.rare]
        keys = [*own, *rare]
        size = 1 << (2 * len(keys)).bit_length()
        table = _Categories(
            self._keep(np.frombuffer(b"".join(keys) or b"\0", dtype=np.uint8)),
            self._keep(np.cumsum([0, *map(len, keys)], dtype=np.int64)),
            self._keep(np.array([*range(len(own)), *([len(own)] * len(rare))], dtype=np.int32)),
            self._keep(np.zeros(size, dtype=np.int32)),
            size - 1, len(own) + 1, len(own) + 2,
        )  # fmt: skip
        library.scan_index(ctypes.byref(table), ctypes.c_int32(len(keys)))
        return table

    def _keep(self, array: npt.NDArray[Any]) -> int:
        """The array's address, good for as long as the scanner lives."""
        self._kept.append(array)
        return int(array.ctypes.data)


def compiled_scanner(features: Sequence[Bins], window: Window) -> Scanner | None:
    """A scanner, for one window; None where the image has no library, and the careful reader must read everything."""
    library = scan_library()
    return Scanner(library, features, window) if library and features else None


def _places(features: Sequence[Bins]) -> npt.NDArray[np.int32]:
    """By field, its column among the numbers; or -1 - its column among the categories."""
    is_number = np.array([each.type == "numeric" for each in features])
    return np.where(is_number, is_number.cumsum() - 1, -(~is_number).cumsum()).astype(np.int32)
