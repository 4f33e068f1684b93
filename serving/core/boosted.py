"""XGBoost's trees without XGBoost: walked by `boosted.c`, or by NumPy where that is not compiled; the same sums."""

import ctypes
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.core.booster import Matrix, OneRow
from serving.core.trees import compiled_library
from serving.core.xgboost_model import CATEGORICAL, EXPONENTIAL, MISSING_LEFT, SET, SIGMOID, SOFTMAX, XgboostModel

_ARRAYS: Final = ("nodes", "roots", "depths", "groups", "sets", "bits", "bases")
_WALKS_AT_ONCE: Final = 1 << 18
_LARGEST_EXPONENT: Final = np.float32(88.7)
Values = NDArray[np.float32]


class _Boosted(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in _ARRAYS),
        *((name, ctypes.c_int32) for name in ("trees", "features", "outputs", "link")),
    )


class BoostedTrees:
    """An XGBoost model that scores rows, for any number of callers."""

    def __init__(self, model: XgboostModel) -> None:
        self.features = model.features
        self.outputs = len(model.bases)
        self._model = model
        self._library = compiled_library()
        self.name = "compiled xgboost trees" if self._library else "xgboost trees by numpy"

    def predict(self, matrix: Matrix) -> Matrix:
        """The predictions of a (rows, features) matrix: (rows,), or (rows, classes) for several classes."""
        rows = _float32(matrix)
        if rows.ndim != 2 or rows.shape[1] != self.features:  # noqa: PLR2004 - rows and columns
            raise ValueError(f"the matrix has the shape {rows.shape}, the model {self.features} features")
        values = self._compiled(rows, self._library) if self._library else self._by_numpy(rows)
        return values.astype(np.float64) if self.outputs > 1 else values[:, 0].astype(np.float64)

    def predict_row(self, row: OneRow) -> float:
        """The prediction of one row by a model of one output."""
        return float(self.predict(np.array([row]))[0])

    @cached_property
    def _arguments(self) -> _Boosted:
        model = self._model
        addresses = (ctypes.c_void_p(getattr(model, name).ctypes.data) for name in _ARRAYS)
        return _Boosted(*addresses, len(model.roots), model.features, self.outputs, model.link)

    def _compiled(self, rows: Values, library: ctypes.CDLL) -> Values:
        values = np.empty((len(rows), self.outputs), np.float32)
        library.sagestack_boosted(
            ctypes.byref(self._arguments), _address(rows), ctypes.c_int64(len(rows)), _address(values)
        )
        return values

    def _by_numpy(self, rows: Values) -> Values:
        step = max(_WALKS_AT_ONCE // len(self._model.roots), 1)
        parts = [self._sums(rows[first : first + step]) for first in range(0, len(rows), step)]
        return _transformed(np.concatenate(parts) if parts else self._sums(rows), self._model.link)

    def _sums(self, rows: Values) -> Values:
        """Walks of all rows through all trees at once, and the leaves added up in the trees' order."""
        model, trees = self._model, len(self._model.roots)
        at = np.tile(model.roots, len(rows))
        owner, walks = np.repeat(np.arange(len(rows)), trees), np.arange(len(at))
        for _ in range(model.depths.max()):
            node = model.nodes[at]
            left = self._goes_left(node, rows[owner, node["feature"]])
            at = node["child"][walks, np.where(left, 0, 1)]
        leaves = model.nodes["threshold"][at].reshape(len(rows), trees)
        sums = np.repeat(model.bases[None], len(rows), axis=0)
        for group in range(self.outputs):
            parts = np.concatenate([sums[:, [group]], leaves[:, model.groups == group]], axis=1)
            sums[:, group] = np.add.accumulate(parts, axis=1)[:, -1]
        return sums

    def _goes_left(self, node: NDArray[Any], x: Values) -> NDArray[np.bool_]:
        left: NDArray[np.bool_] = np.less(x, node["threshold"])
        missing = np.isnan(x)
        categorical = np.flatnonzero(node["kind"] & CATEGORICAL)
        left[categorical] = ~self._in_set(node["kind"][categorical] // SET, x[categorical])
        left[missing] = (node["kind"][missing] & MISSING_LEFT) != 0
        return left

    def _in_set(self, chosen: NDArray[np.int32], code: Values) -> NDArray[np.bool_]:
        first, end = self._model.sets[chosen].T
        known = (code >= 0) & (code < 32 * (end - first))
        bit = np.where(known, code, 0).astype(np.int64)
        words = self._model.bits[np.where(known, first + bit // 32, 0)] if len(chosen) else bit
        inside: NDArray[np.bool_] = known & ((words >> (bit % 32)) & 1).astype(bool)
        return inside


def _transformed(values: Values, link: int) -> Values:
    one = np.float32(1)
    with np.errstate(over="ignore"):
        if link == SOFTMAX:
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values /= values.sum(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        if link == SIGMOID:
            values = one / (one + np.exp(np.minimum(-values, _LARGEST_EXPONENT)))
        if link == EXPONENTIAL:
            values = np.exp(values)
    return values


def _float32(matrix: Matrix) -> Values:
    """As XGBoost takes its rows: what is too large becomes an infinity."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(matrix, dtype=np.float32)


def _address(array: Values) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
