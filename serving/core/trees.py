"""The compiled tree walk (`trees.c`): LightGBM's own scores, bit for bit, in a fraction of its time.

The serving image compiles it while it is built. Where there is no such library, or a model is of a kind that it does
not know, or any probe row scores otherwise than in LightGBM, LightGBM itself scores.
"""

import ctypes
import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.contract import TREES_LIBRARY_VARIABLE
from serving.core.booster import Booster, Matrix, OneRow
from serving.core.forest import Forest, UnreadableForestError, read_forest

PROBES: Final = 256
"""Rows that a walk and LightGBM must agree on, to the bit, before the walk serves."""

_HUGE: Final = 1e300


class _Forest(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("nodes", "values", "roots", "depths", "order", "sets", "bits")),
        *((name, ctypes.c_int32) for name in ("trees", "features", "categorical")),
        ("sigmoid", ctypes.c_double),
    )


class Trees:
    """A forest ready to be walked, for any number of callers at once."""

    def __init__(self, forest: Forest, library: ctypes.CDLL) -> None:
        self._arrays = forest
        self._forest = _Forest(
            *(_address(array) for array in (forest.nodes, forest.values, forest.roots)),
            *(_address(array) for array in (forest.depths, forest.order, forest.sets, forest.bits)),
            len(forest.roots), forest.features, int(forest.categorical.any()), forest.sigmoid,
        )  # fmt: skip
        self._address = ctypes.addressof(self._forest)
        self._score = library.sagestack_score
        self._score.restype = None
        self._score_row = library.sagestack_score_row
        self._score_row.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self._score_row.restype = ctypes.c_double
        self._row = ctypes.c_double * forest.features

    def predict_row(self, row: OneRow) -> float:
        """The score of one row, of as many values as the model has features; a ctypes array is not copied."""
        score: float = self._score_row(self._address, row if isinstance(row, ctypes.Array) else self._row(*row))
        return score

    def predict(self, matrix: Matrix) -> Matrix:
        """The scores of a (rows, features) matrix, in its order."""
        rows, columns = matrix.shape
        if columns != self._arrays.features:
            raise ValueError(f"the matrix has {columns} columns, the model {self._arrays.features} features")
        data = np.array(matrix, dtype=np.float64, order="C")  # a copy: the walk changes its rows
        scores = np.empty(rows, dtype=np.float64)
        self._score(ctypes.byref(self._forest), _address(data), ctypes.c_int64(rows), _address(scores))
        return scores


def compiled_library() -> ctypes.CDLL | None:
    """What the image has compiled of this folder; None where there is no such library."""
    path = os.environ.get(TREES_LIBRARY_VARIABLE)
    if not path:
        return None
    try:
        return ctypes.CDLL(path)
    except OSError:
        return None


def compiled_trees(model: bytes, booster: Booster) -> Trees | None:
    """The walk of a model that `booster` has loaded; None if LightGBM must score it itself."""
    library = compiled_library()
    if library is None:
        return None
    try:
        forest = read_forest(model.decode())
    except (UnreadableForestError, UnicodeDecodeError):
        return None
    trees = Trees(forest, library)
    if forest.features != booster.features:
        return None
    probes = _probes(forest)
    one_by_one = [trees.predict_row(row) for row in probes.tolist()]
    expected = booster.predict(probes)
    return trees if _same(trees.predict(probes), expected) and _same(np.array(one_by_one), expected) else None


def _same(one: Matrix, other: Matrix) -> bool:
    return one.tobytes() == other.tobytes()


def _probes(forest: Forest) -> Matrix:
    """Rows of the model's own thresholds, their neighbours, codes of categories, and values that are awkward."""
    chance = np.random.default_rng(0)
    awkward = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1e300, -0.5, 2.0**31, *range(-1, 33)])
    rows = np.empty((PROBES, forest.features))
    for feature in range(forest.features):
        thresholds = forest.nodes["threshold"][(forest.feature == feature) & ~forest.categorical]
        numeric = thresholds[np.abs(thresholds) < _HUGE]
        near = [numeric, np.nextafter(numeric, np.inf), np.nextafter(numeric, -np.inf)]
        pool = np.concatenate([*near, np.resize(awkward, len(numeric) + len(awkward))])
        rows[:, feature] = chance.choice(pool, PROBES)
    return rows


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
