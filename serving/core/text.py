"""The compiled reader (`text.c`): rows of plain CSV and JSON as doubles, in a fraction of the careful reader's time.

It reads what `parsing.py` would, and refuses what it does not know for certain; that reader then takes the body, and
words what is wrong.
"""

import ctypes
from collections.abc import Iterable
from typing import Final

import numpy as np

from serving.contract import CSV, JSON
from serving.core.booster import Matrix
from serving.core.signature import Signature

FORMATS: Final = {CSV: 0, JSON: 1}
MORE_ROWS: Final = -2
_MOST_CATEGORY_BYTES: Final = 2**31 - 1
Row = ctypes.Array[ctypes.c_double]


class _Inputs(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("first", "start", "code", "bytes", "categorical")),
        ("count", ctypes.c_int32),
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
        self._inputs = _Inputs(*(array.ctypes.data for array in self._kept), self._count)
        self._header = ",".join(signature.names).encode()
        self._one_row = ctypes.c_double * self._count
        self._read = library.sagestack_read
        pointer, size = ctypes.c_void_p, ctypes.c_int64
        self._read.argtypes = (pointer, ctypes.c_int32, ctypes.c_char_p, size, pointer, size)
        self._read.restype = size
        self._address = ctypes.addressof(self._inputs)

    def read(self, body: bytes, content_type: str) -> Row | Matrix | None:
        """One row, or a (rows, inputs) matrix of several; None if the careful reader must look."""
        kind = FORMATS.get(content_type)
        if kind is None or body.startswith(self._header):
            return None
        row = self._one_row()
        read = self._read(self._address, kind, body, len(body), row, 1)
        if read == 1:
            return row
        return self._matrix(body, kind) if read == MORE_ROWS else None

    def _matrix(self, body: bytes, kind: int) -> Matrix | None:
        room = body.count(b"\n" if kind == 0 else b"[") + 1
        matrix = np.empty((min(room, len(body) // self._count + 1), self._count))
        read = self._read(self._address, kind, body, len(body), matrix.ctypes.data, len(matrix))
        return matrix[:read] if read > 0 else None


def text_reader(signature: Signature, library: ctypes.CDLL | None) -> TextReader | None:
    """The reader of a signature's rows; None without the library, and for a single input, whose empty line is a row."""
    categories = sum(len(text.encode()) for one in signature.inputs for text in one.categories)
    fits = len(signature.inputs) > 1 and categories < _MOST_CATEGORY_BYTES
    return TextReader(signature, library) if library and fits else None


def _ends(lengths: Iterable[int]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.cumsum([0, *lengths], dtype=np.int32)
