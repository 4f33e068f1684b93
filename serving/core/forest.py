"""LightGBM's text model as flat arrays: the reader of what `trees.c` walks.

Source: the text that LightGBM's `save_model` writes, format v4 (src/io/gbdt_model_text.cpp, src/io/tree.cpp).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NODE: Final = np.dtype(
    [("threshold", np.float64), ("feature", np.int32), ("kind", np.int32), ("child", np.int32, 2)], align=True
)
NAN_LEFT: Final = 1
CATEGORICAL: Final = 2
_DECISION_CATEGORICAL: Final = 1
_DECISION_DEFAULT_LEFT: Final = 2
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = range(3)
_IDENTITY: Final = frozenset({"regression", "regression_l1", "huber", "fair", "quantile", "mape"})
_SIGMOID: Final = "binary sigmoid:"


class UnreadableForestError(ValueError):
    """A model that the walk does not know; LightGBM itself may."""


@dataclass(frozen=True)
class Forest:
    """All trees, one after the other, in the order in which LightGBM adds them up.

    Attributes:
        nodes: of dtype NODE; a leaf is its own child, so that a walk may be longer than its path.
        values: by node, a leaf's value.
        roots: by tree, its first node.
        depths: by tree, the steps to its deepest leaf.
        sets: by categorical node, the first word and the end of its set in `bits`.
        bits: the categories' codes that go left, 32 a word.
        features: how many the model takes.
        sigmoid: the factor of the logistic function; 0 if the sum is the score.
    """

    nodes: NDArray[Any]
    values: NDArray[np.float64]
    roots: NDArray[np.int32]
    depths: NDArray[np.int32]
    sets: NDArray[np.int32]
    bits: NDArray[np.uint32]
    features: int
    sigmoid: float


def read_forest(model: str) -> Forest:
    """Read a model's text.

    Raises:
        UnreadableForestError: linear trees, zeros as missing values, a random forest, another objective, or no model.
    """
    header, *blocks = model.partition("\nend of trees")[0].split("\nTree=")
    facts = dict(line.partition("=")[::2] for line in header.splitlines())
    try:
        if facts.get("version") != "v4" or facts["num_class"] != "1" or "average_output" in facts:
            raise UnreadableForestError("not a model of version 4 with one sum of trees")
        if not blocks or len(blocks) != len(facts["tree_sizes"].split()):
            raise UnreadableForestError("not all of its trees")
        return _join([_Tree(block) for block in blocks], int(facts["max_feature_idx"]) + 1, _link(facts["objective"]))
    except (KeyError, IndexError, OverflowError, ValueError) as error:
        raise UnreadableForestError(str(error)) from None


def _link(objective: str) -> float:
    if objective.startswith(_SIGMOID):
        return float(objective.removeprefix(_SIGMOID))
    if objective in _IDENTITY:
        return 0.0
    raise UnreadableForestError(f"the objective {objective}")


class _Tree:
    """One tree's block, with its own numbering: splits first, then leaves."""

    def __init__(self, block: str) -> None:
        self._facts = dict(line.partition("=")[::2] for line in block.splitlines()[1:])
        if self._facts.get("is_linear", "0") != "0":
            raise UnreadableForestError("linear trees")
        leaves = int(self._facts["num_leaves"])
        self.splits = leaves - 1
        self.values = np.concatenate([np.zeros(self.splits), self._array("leaf_value", np.float64, leaves)])
        self.bounds = np.zeros(1, np.int32)
        self.words = np.zeros(0, np.uint32)
        if int(self._facts["num_cat"]):
            self.bounds = self._array("cat_boundaries", np.int32, int(self._facts["num_cat"]) + 1)
            self.words = self._array("cat_threshold", np.uint32, int(self.bounds[-1]))
        self.nodes = np.zeros(len(self.values), NODE)
        own = np.arange(len(self.values), dtype=np.int32)
        self.nodes["child"] = own[:, None]
        self.nodes["kind"] = NAN_LEFT
        self.nodes["threshold"] = np.inf
        if self.splits:
            self._split(own[: self.splits])

    def _split(self, own: NDArray[np.int32]) -> None:
        nodes = self.nodes[: self.splits]
        nodes["feature"] = self._array("split_feature", np.int32, self.splits)
        nodes["threshold"] = self._array("threshold", np.float64, self.splits)
        for side, name in enumerate(("left_child", "right_child")):
            child = self._array(name, np.int32, self.splits)
            nodes["child"][:, side] = np.where(child < 0, self.splits + ~child, child)
        decision = self._array("decision_type", np.int32, self.splits)
        missing = (decision >> 2) & 3
        categorical = (decision & _DECISION_CATEGORICAL) != 0
        if (missing[~categorical] == _MISSING_ZERO).any():
            raise UnreadableForestError("zeros as missing values")
        default_left = (decision & _DECISION_DEFAULT_LEFT) != 0
        nan_left = np.where(missing == _MISSING_NONE, nodes["threshold"] >= 0, default_left)
        nodes["kind"] = np.where(categorical, CATEGORICAL, nan_left)
        if (nodes["child"] <= own[:, None]).any() or (nodes["child"] >= len(self.nodes)).any():
            raise UnreadableForestError("a split that leads back")
        chosen = nodes["threshold"][categorical]
        if (
            ((chosen < 0) | (chosen >= len(self.bounds) - 1)).any()
            or self.bounds[0]
            or (np.diff(self.bounds) < 0).any()
        ):
            raise UnreadableForestError("a split on no set of categories")

    def _array(self, name: str, kind: Any, length: int) -> NDArray[Any]:  # noqa: ANN401 - a scalar type of numpy
        number = float if kind is np.float64 else int
        array = np.array([number(word) for word in self._facts[name].split()], kind)
        if len(array) != length:
            raise UnreadableForestError(f"{name} has {len(array)} values, expected {length}")
        return array


def _join(trees: list[_Tree], features: int, sigmoid: float) -> Forest:
    nodes = np.concatenate([tree.nodes for tree in trees])
    roots = np.cumsum([0, *(len(tree.nodes) for tree in trees[:-1])])
    owner = np.repeat(np.arange(len(trees)), [len(tree.nodes) for tree in trees])
    nodes["child"] += roots[owner].astype(np.int32)[:, None]
    first_set = np.cumsum([0, *(len(tree.bounds) - 1 for tree in trees[:-1])])
    first_word = np.cumsum([0, *(len(tree.words) for tree in trees[:-1])])
    categorical = nodes["kind"] == CATEGORICAL
    nodes["threshold"][categorical] += first_set[owner[categorical]]
    sets = [
        np.stack([tree.bounds[:-1], tree.bounds[1:]], 1) + first for tree, first in zip(trees, first_word, strict=True)
    ]
    if ((nodes["feature"] < 0) | (nodes["feature"] >= features)).any():
        raise UnreadableForestError("a split on no feature")
    return Forest(
        nodes=nodes,
        values=np.concatenate([tree.values for tree in trees]),
        roots=roots.astype(np.int32),
        depths=_depths(nodes, roots),
        sets=np.ascontiguousarray(np.concatenate(sets), np.int32),
        bits=np.concatenate([tree.words for tree in trees]),
        features=features,
        sigmoid=sigmoid,
    )


def _depths(nodes: NDArray[Any], roots: NDArray[np.int64]) -> NDArray[np.int32]:
    own = np.arange(len(nodes))
    level = np.zeros(len(nodes), np.int32)
    at = np.asarray(roots)
    step = 0
    while len(at := at[nodes["child"][at, 0] != own[at]]):
        step += 1
        at = nodes["child"][at].ravel()
        level[at] = step
    return np.maximum.reduceat(level, roots)
