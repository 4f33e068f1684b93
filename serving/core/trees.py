"""Compiled scoring of LightGBM's trees (`leaves.c`, `trees.c`): its own scores, bit for bit, in a fraction of its time.

The serving image compiles it while it is built. Where there is no such library, or a model is of a kind that it does
not know, or any probe row scores otherwise than in LightGBM, LightGBM itself scores.
"""

import ctypes
import os
from typing import Any, Final

import numpy as np

from serving.contract import TREES_LIBRARY_VARIABLE
from serving.core.booster import Booster, Matrix, OneRow
from serving.core.forest import Forest, UnreadableForestError, read_forest
from serving.core.leaves import Leaves, leaves_of

PROBES: Final = 256
"""Rows that the compiled code and LightGBM must agree on, to the bit, before it serves."""

_HUGE: Final = 1e300


class _Walk(ctypes.Structure):
    """`trees.c`'s Forest."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("nodes", "values", "roots", "depths", "order", "sets", "bits")),
        *((name, ctypes.c_int32) for name in ("trees", "features", "categorical")),
        ("sigmoid", ctypes.c_double),
    )


class _Leaves(ctypes.Structure):
    """`leaves.c`'s Leaves."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("asked", "thresholds", "checkpoints", "places")),
        *((name, ctypes.c_void_p) for name in ("kept", "tables", "starts", "values")),
        *((name, ctypes.c_int32) for name in ("trees", "features", "count", "words", "spacing")),
        ("sigmoid", ctypes.c_double),
    )


class Trees:
    """A forest ready to be scored, for any number of callers at once.

    Attributes:
        name: how it is scored.
        features: how many the model takes.
        function: the address of what scores rows: of the forest's address, rows, how many, and their scores.
        address: the forest's.
    """

    def __init__(self, forest: Forest, library: ctypes.CDLL) -> None:
        leaves = leaves_of(forest)
        self.name = "compiled leaves" if leaves else "compiled trees"
        self.features = forest.features
        self._kept = leaves or forest
        self._forest = _leaves(forest, leaves) if leaves else _walk(forest)
        self.address = ctypes.addressof(self._forest)
        self._score = library.sagestack_leaves if leaves else library.sagestack_walk
        self._score.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self._score.restype = None
        self.function = address_of(self._score)
        self._row = ctypes.c_double * forest.features

    def predict_row(self, row: OneRow) -> float:
        """The score of one row, of as many values as the model has features; a ctypes array is not copied."""
        score = ctypes.c_double()
        values = row if isinstance(row, ctypes.Array) else self._row(*row)
        self._score(self.address, values, 1, ctypes.byref(score))
        return score.value

    def predict(self, matrix: Matrix) -> Matrix:
        """The scores of a (rows, features) matrix, in its order."""
        rows, columns = matrix.shape
        if columns != self.features:
            raise ValueError(f"the matrix has {columns} columns, the model {self.features} features")
        data = np.array(matrix, dtype=np.float64, order="C")  # a copy: scoring changes its rows
        scores = np.empty(rows, dtype=np.float64)
        self._score(self.address, data.ctypes.data, rows, scores.ctypes.data)
        return scores


def _walk(forest: Forest) -> _Walk:
    arrays = (forest.nodes, forest.values, forest.roots, forest.depths, forest.order, forest.sets, forest.bits)
    addresses = (array.ctypes.data for array in arrays)
    categorical = int(forest.categorical.any())
    return _Walk(*addresses, len(forest.roots), forest.features, categorical, forest.sigmoid)


def _leaves(forest: Forest, leaves: Leaves) -> _Leaves:
    arrays = (leaves.asked, leaves.thresholds, leaves.checkpoints, leaves.places)
    more = (leaves.kept, leaves.tables, leaves.starts, leaves.values)
    addresses = (array.ctypes.data for array in (*arrays, *more))
    sizes = len(forest.roots), forest.features, len(leaves.asked), leaves.words, leaves.spacing
    return _Leaves(*addresses, *sizes, forest.sigmoid)


def address_of(function: Any) -> int | None:  # noqa: ANN401 - ctypes keeps the type of its functions to itself
    """Where a compiled function is, for compiled code to call."""
    return ctypes.cast(function, ctypes.c_void_p).value


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
    """What scores a model that `booster` has loaded; None if LightGBM must do it itself."""
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
