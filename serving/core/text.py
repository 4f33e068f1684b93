"""The compiled reader (`text.c`): rows of plain CSV and JSON as doubles, in a fraction of the careful reader's time.

It reads what `parsing.py` would, and refuses what it does not know for certain; that reader then takes the body, and
words what is wrong. Rows are kept, or given to compiled trees as they come.
"""

import ctypes
from collections.abc import Iterable
from typing import Final

import numpy as np

from serving.contract import CSV, JSON
from serving.core.booster import Matrix
from serving.core.signature import Signature
from serving.core.trees import Trees, address_of

FORMATS: Final = {CSV: 0, JSON: 1}
ROWS_AT_ONCE: Final = 16
"""So many rows wait to be scored: what was read is then still at hand."""
_MOST_CATEGORY_BYTES: Final = 2**31 - 1
_MARKS: Final = (b"\n", b"[")


class _Inputs(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("first", "start", "code", "bytes", "categorical")),
        ("header", ctypes.c_char_p),
        ("header_length", ctypes.c_int32),
        ("count", ctypes.c_int32),
    )


class Sink(ctypes.Structure):
    """Where rows go: `text.c` says what the fields hold."""

    _fields_ = (
        ("rows", ctypes.c_void_p),
        ("room", ctypes.c_int64),
        ("held", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("score", "model", "scores")),
        ("scores_room", ctypes.c_int64),
        ("scored", ctypes.c_int64),
    )


class TextReader:
    """Reads bodies for one signature of several inputs; any number of threads may."""

    def __init__(self, signature: Signature, library: ctypes.CDLL) -> None:
        inputs = [sorted((text.encode(), code) for code, text in enumerate(one.categories)) for one in signature.inputs]
        known = [category for categories in inputs for category in categories]
        self._kept = (
            _ends(map(len, inputs)),
            _ends(len(text) for text, _ in known),
            np.array([code for _, code in known], np.float64),
            np.frombuffer(b"".join(text for text, _ in known) + b"\0", np.uint8),
            np.array([one.type == "categorical" for one in signature.inputs], np.uint8),
        )
        self._count = len(inputs)
        header = ",".join(signature.names).encode()
        self._inputs = _Inputs(*(array.ctypes.data for array in self._kept), header, len(header), self._count)
        self.library = library
        self._function = library.sagestack_read
        pointer, size = ctypes.c_void_p, ctypes.c_int64
        self._function.argtypes = (pointer, ctypes.c_int32, ctypes.c_char_p, size, pointer)
        self._function.restype = size
        self.function = address_of(self._function)
        self.inputs = ctypes.addressof(self._inputs)

    def read(self, body: bytes, content_type: str) -> Matrix | None:
        """The rows of a body, (rows, inputs); None if the careful reader must look."""
        if content_type not in FORMATS:
            return None
        matrix = np.empty((self._most_rows(body, content_type), self._count))
        read = self._read(body, content_type, Sink(matrix.ctypes.data, len(matrix)))
        return matrix[:read] if read > 0 else None

    def score(self, body: bytes, content_type: str, trees: Trees) -> list[float] | None:
        """The scores of a body's rows; None if the careful reader must look."""
        if content_type not in FORMATS:
            return None
        room = self._most_rows(body, content_type)
        rows = (ctypes.c_double * (min(room, ROWS_AT_ONCE) * self._count))()
        scores = (ctypes.c_double * room)()
        read = self._read(body, content_type, self.sink(rows, scores, trees))
        return scores[:read] if read > 0 else None

    def sink(
        self, rows: "ctypes.Array[ctypes.c_double]", scores: "ctypes.Array[ctypes.c_double]", trees: Trees
    ) -> Sink:
        """One that scores rows in passing; the arrays and trees must outlive it."""
        room = len(rows) // self._count
        addresses = ctypes.addressof(rows), room, 0, trees.function, trees.address, ctypes.addressof(scores)
        return Sink(*addresses, len(scores))

    def _read(self, body: bytes, content_type: str, sink: Sink) -> int:
        read: int = self._function(self.inputs, FORMATS[content_type], body, len(body), ctypes.byref(sink))
        return read

    def _most_rows(self, body: bytes, content_type: str) -> int:
        return min(body.count(_MARKS[FORMATS[content_type]]) + 1, len(body) // self._count + 1)


def text_reader(signature: Signature, library: ctypes.CDLL | None) -> TextReader | None:
    """The reader of a signature's rows; None without the library, and for a single input, whose empty line is a row."""
    categories = sum(len(text.encode()) for one in signature.inputs for text in one.categories)
    fits = len(signature.inputs) > 1 and categories < _MOST_CATEGORY_BYTES
    return TextReader(signature, library) if library and fits else None


def _ends(lengths: Iterable[int]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.cumsum([0, *lengths], dtype=np.int32)
