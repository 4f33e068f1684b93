"""LightGBM through its C API: the library's own scores without `import lightgbm`, which costs a second and 60 MB.

Source: https://lightgbm.readthedocs.io/en/stable/C-API.html
"""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.core.errors import ArtifactError
from serving.core.signature import LIGHTGBM

Matrix = NDArray[np.float64]
"""float64; of two dimensions, (rows, inputs), or of one, (rows,)."""
OneRow = Sequence[float] | ctypes.Array[ctypes.c_double]

_FLOAT64: Final = 1
_ROW_MAJOR: Final = 1
_NORMAL: Final = 0
_CONTRIBUTIONS: Final = 3
_ALL_ITERATIONS: Final = -1
_BEGINNING: Final = b"tree\n"
_END: Final = b"\nend of trees"
_ONE_THREAD: Final = b"num_threads=1"
_ROWS_A_THREAD: Final = 64
"""Below this many rows, waking another thread takes longer than the rows do."""
_SILENCE: Final = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda _message: None)
"""Drops the library's own log lines: standard output carries JSON, and errors arrive as return codes."""


class Booster:
    """A loaded model; for any number of callers at once."""

    name = LIGHTGBM

    def __init__(self, model: bytes) -> None:
        """Load a model from its text.

        Raises:
            ArtifactError: LightGBM cannot read it.
        """
        self._library = _library()
        self._handle = ctypes.c_void_p()
        if not model.startswith(_BEGINNING) or _END not in model:  # on many of these the library aborts the process
            raise ArtifactError("LightGBM cannot read the model file: it is no text model, or is cut short")
        if b"\0" in model:
            raise ArtifactError("the model file is not a LightGBM model: it has a NUL byte")
        iterations = ctypes.c_int()
        self._check(
            self._library.LGBM_BoosterLoadModelFromString(model, ctypes.byref(iterations), ctypes.byref(self._handle))
        )
        self.features = self._count("LGBM_BoosterGetNumFeature")
        self.outputs = self._count("LGBM_BoosterGetNumClasses")
        self._one_row = Lock()
        self._row = (ctypes.c_double * self.features)()
        self._score = (ctypes.c_double * self.outputs)()
        self._fast = self._prepare_rows()
        self._fast_arguments = (self._fast, self._row, ctypes.byref(ctypes.c_int64()), ctypes.byref(self._score))
        self._predict_row = self._library.LGBM_BoosterPredictForMatSingleRowFast

    def predict_row(self, row: OneRow) -> float:
        """The score of one row, of as many values as the model has features."""
        with self._one_row:
            self._row[:] = list(row)
            if self._predict_row(*self._fast_arguments):
                raise RuntimeError(self._error())
            return self._score[0]

    def predict(self, matrix: Matrix) -> Matrix:
        """The scores of a (rows, features) matrix, in its order: (rows,), or (rows, classes) if there are several."""
        rows, columns = matrix.shape
        if columns != self.features:
            raise ValueError(f"the matrix has {columns} columns, the model {self.features} features")
        data = np.ascontiguousarray(matrix, dtype=np.float64)
        scores = np.empty(rows if self.outputs == 1 else (rows, self.outputs), dtype=np.float64)
        threads = max(1, min(len(os.sched_getaffinity(0)), rows // _ROWS_A_THREAD))
        written = ctypes.c_int64()
        code = self._library.LGBM_BoosterPredictForMat(
            self._handle, _address(data), _FLOAT64, rows, columns, _ROW_MAJOR, _NORMAL, 0, _ALL_ITERATIONS,
            b"num_threads=%d" % threads, ctypes.byref(written), _address(scores),
        )  # fmt: skip
        if code:
            raise RuntimeError(self._error())
        return scores

    def contributions(self, matrix: Matrix) -> Matrix:
        """Exact TreeSHAP of a (rows, features) matrix: (rows, features + 1), the last column what all rows share."""
        rows = len(matrix)
        data = np.ascontiguousarray(matrix, dtype=np.float64)
        shares = np.empty((rows, self.features + 1), dtype=np.float64)
        written = ctypes.c_int64()
        code = self._library.LGBM_BoosterPredictForMat(
            self._handle, _address(data), _FLOAT64, rows, self.features, _ROW_MAJOR, _CONTRIBUTIONS, 0, _ALL_ITERATIONS,
            _ONE_THREAD, ctypes.byref(written), _address(shares),
        )  # fmt: skip
        if code:
            raise RuntimeError(self._error())
        return shares

    def __del__(self) -> None:
        if self._handle:
            if hasattr(self, "_fast"):
                self._library.LGBM_FastConfigFree(self._fast)
            self._library.LGBM_BoosterFree(self._handle)

    def _prepare_rows(self) -> ctypes.c_void_p:
        fast = ctypes.c_void_p()
        self._check(
            self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._handle, _NORMAL, 0, _ALL_ITERATIONS, _FLOAT64, self.features, _ONE_THREAD, ctypes.byref(fast)
            )
        )
        return fast

    def _count(self, function: str) -> int:
        value = ctypes.c_int()
        self._check(self._library[function](self._handle, ctypes.byref(value)))
        return value.value

    def _check(self, code: int) -> None:
        if code:
            raise ArtifactError(f"LightGBM cannot read the model file: {self._error()}")

    def _error(self) -> str:
        message: bytes = self._library.LGBM_GetLastError()
        return " ".join(message.decode("utf-8", "replace").split())


def installed_version() -> str:
    """The installed package's, from its own file: `importlib.metadata` takes 20 ms of a cold start."""
    return (_package() / "VERSION.txt").read_text().strip()


def _package() -> Path:
    """The installed package's folder, found without importing it."""
    spec = find_spec("lightgbm")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise ModuleNotFoundError("the package lightgbm is not installed: pip install lightgbm")
    return Path(folders[0])


@cache
def _library() -> ctypes.CDLL:
    """The package's shared library."""
    library = ctypes.CDLL(str(_package() / "lib" / "lib_lightgbm.so"))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    library.LGBM_RegisterLogCallback(_SILENCE)
    return library


def _address(array: Matrix) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
