"""LightGBM's text model as flat arrays: the reader of what `trees.c` walks.

Source: the text that LightGBM's `save_model` writes, format v4 (src/io/gbdt_model_text.cpp, src/io/tree.cpp).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NODE: Final = np.dtype([("threshold", np.float64), ("test", np.uint32), ("left", np.int32)], align=True)
NAN_LEFT: Final = 1
CATEGORICAL: Final = 2
KIND_BITS: Final = 2
"""Below the feature in `test`."""
BLOCK: Final = 256
_SPLIT: Final = np.dtype(
    [("threshold", np.float64), ("feature", np.int32), ("kind", np.int32), ("child", np.int32, 2)], align=True
)
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
        nodes: of dtype NODE; a split's right child follows its left one; a leaf leads to itself, whatever its value, so
            that a walk may be longer than its path.
        values: by node, a leaf's value.
        roots: by tree, its first node.
        depths: by tree, the steps to its deepest leaf.
        order: the trees of each BLOCK by depth.
        sets: by categorical node, the first word and the end of its set in `bits`.
        bits: the categories' codes that go left, 32 a word.
        features: how many the model takes.
        sigmoid: the factor of the logistic function; 0 if the sum is the score.
    """

    nodes: NDArray[Any]
    values: NDArray[np.float64]
    roots: NDArray[np.int32]
    depths: NDArray[np.int32]
    order: NDArray[np.int32]
    sets: NDArray[np.int32]
    bits: NDArray[np.uint32]
    features: int
    sigmoid: float

    @property
    def feature(self) -> NDArray[np.uint32]:
        """By node, the feature that it asks for."""
        return np.asarray(self.nodes["test"] >> KIND_BITS, np.uint32)

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """By node, whether it asks for a set of categories."""
        return np.asarray(self.nodes["test"] & CATEGORICAL, np.bool_)


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
        self.nodes = np.zeros(len(self.values), _SPLIT)
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
        if np.isnan(nodes["threshold"]).any():
            raise UnreadableForestError("a threshold that is no number")
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
    layout, depths = _by_level(nodes["child"], roots)
    return Forest(
        nodes=_laid_out(nodes, layout),
        values=np.concatenate([tree.values for tree in trees])[layout],
        roots=np.arange(len(trees), dtype=np.int32),
        depths=depths,
        order=np.concatenate(
            [first + np.argsort(depths[first : first + BLOCK], kind="stable") for first in range(0, len(trees), BLOCK)]
        ).astype(np.int32),
        sets=np.ascontiguousarray(np.concatenate(sets), np.int32),
        bits=np.concatenate([tree.words for tree in trees]),
        features=features,
        sigmoid=sigmoid,
    )


def _by_level(child: NDArray[np.int32], roots: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All nodes, the trees' roots first, then level by level with siblings side by side; and the trees' depths."""
    depths = np.zeros(len(roots), np.int32)
    at, owner = np.asarray(roots, np.int64), np.arange(len(roots))
    levels = [at]
    left = len(child) - len(at)
    while (split := child[at, 0] != at).any():
        at, owner = child[at[split]].ravel().astype(np.int64), np.repeat(owner[split], 2)
        if (left := left - len(at)) < 0:
            break
        depths[owner] += 1  # once a tree, however many of its nodes are on the level
        levels.append(at)
    if left:
        raise UnreadableForestError("a tree whose nodes do not hang together")
    return np.concatenate(levels), depths


def _laid_out(nodes: NDArray[Any], layout: NDArray[np.int64]) -> NDArray[Any]:
    place = np.empty(len(layout), np.int32)
    place[layout] = np.arange(len(layout), dtype=np.int32)
    old = nodes[layout]
    new = np.zeros(len(layout), NODE)
    new["threshold"] = old["threshold"]
    new["test"] = (old["feature"] << KIND_BITS) | old["kind"]
    new["left"] = place[old["child"][:, 0]]
    return new
