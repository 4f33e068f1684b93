"""XGBoost's own model files, JSON or UBJSON, as flat arrays: the reader of what `boosted.c` walks.

Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html and XGBoost's doc/model.schema.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from serving.core import ubjson
from serving.core.errors import ArtifactError

NODE: Final = np.dtype(
    [("threshold", np.float32), ("feature", np.int32), ("kind", np.int32), ("child", np.int32, 2)], align=True
)
MISSING_LEFT: Final = 1
CATEGORICAL: Final = 2
SET: Final = 4
IDENTITY, SIGMOID, EXPONENTIAL, SOFTMAX = range(4)
LINKS: Final = {
    "reg:squarederror": IDENTITY,
    "reg:squaredlogerror": IDENTITY,
    "reg:absoluteerror": IDENTITY,
    "reg:pseudohubererror": IDENTITY,
    "reg:logistic": SIGMOID,
    "binary:logistic": SIGMOID,
    "count:poisson": EXPONENTIAL,
    "reg:gamma": EXPONENTIAL,
    "reg:tweedie": EXPONENTIAL,
    "multi:softprob": SOFTMAX,
    "multi:softmax": SOFTMAX,
}
"""How the sum of the leaves becomes the prediction, by objective; `multi:softmax` gives its probabilities too."""
MAX_CATEGORY: Final = 1 << 24


@dataclass(frozen=True)
class XgboostModel:
    """All trees, one after the other, in the order in which XGBoost adds them up.

    Attributes:
        nodes: of dtype NODE; a leaf is its own child, so that a walk may be longer than its path, and its threshold is
            its value.
        roots: by tree, its first node.
        depths: by tree, the steps to its deepest leaf.
        groups: by tree, the output that it adds to.
        sets: by categorical node, the first word and the end of its set in `bits`.
        bits: the categories' codes that go right, 32 a word.
        bases: by output, where its sum begins.
        features: how many values a row has.
        link: IDENTITY, SIGMOID, EXPONENTIAL or SOFTMAX.
        version: of the XGBoost that wrote it.
        names: the features' names, if they were trained with any.
        categorical: positions of the categorical features; None if the model does not say.
        categories: by feature, its categories' texts if it was trained on a data frame's; empty where it was not.
        rounds: of boosting.
        best_iteration: where early stopping saw the best score; None without.
    """

    nodes: NDArray[Any]
    roots: NDArray[np.int32]
    depths: NDArray[np.int32]
    groups: NDArray[np.int32]
    sets: NDArray[np.int32]
    bits: NDArray[np.uint32]
    bases: NDArray[np.float32]
    features: int
    link: int
    version: str
    names: tuple[str, ...]
    categorical: tuple[int, ...] | None
    categories: tuple[tuple[str, ...], ...]
    rounds: int
    best_iteration: int | None


def read_xgboost(model: bytes) -> XgboostModel:
    """Read a model file that XGBoost's `save_model` wrote, version 1.6 or newer.

    Raises:
        ArtifactError: not such a file, or a booster or an objective that this server does not know.
    """
    try:
        document = orjson.loads(model) if model.lstrip()[1:2] in (b'"', b"\n", b" ") else ubjson.loads(model)
        return _read(document)
    except ArtifactError:
        raise
    except KeyError as error:
        raise ArtifactError(f"the model file is not XGBoost's: it lacks {error}") from None
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"the model file is not XGBoost's JSON or UBJSON: {error}") from None


def _read(document: Any) -> XgboostModel:  # noqa: ANN401 - as parsed; every access is guarded by the caller
    learner, version = document["learner"], [int(part) for part in document["version"]]
    booster, facts = learner["gradient_booster"], learner["learner_model_param"]
    if booster["name"] != "gbtree":
        raise ArtifactError(f"the model's booster is {booster['name']!r:.40}; this server knows gbtree")
    if int(facts.get("num_target", "1")) != 1:
        raise ArtifactError(f"the model has {facts['num_target']} targets; this server serves one")
    outputs, features = max(int(facts["num_class"]), 1), int(facts["num_feature"])
    link = _link(learner["objective"]["name"])
    trees = [_Tree(tree) for tree in booster["model"]["trees"]]
    groups = np.asarray(booster["model"]["tree_info"], np.int32)
    if len(groups) != len(trees) or ((groups < 0) | (groups >= outputs)).any():
        raise ValueError("tree_info does not fit the trees")
    if not trees:
        raise ArtifactError("the model has no trees")
    types = learner.get("feature_types") or None
    best = learner["attributes"].get("best_iteration")
    parallel = max(int(booster["model"]["gbtree_model_param"].get("num_parallel_tree", "1")), 1)
    return XgboostModel(
        **_join(trees, features),
        groups=groups,
        bases=_bases(facts["base_score"], link, outputs),
        features=features,
        link=link,
        version=".".join(map(str, version)),
        names=tuple(learner.get("feature_names") or ()),
        categorical=None if types is None else tuple(place for place, kind in enumerate(types) if kind == "c"),
        categories=tuple(map(_texts, booster["model"].get("cats", {}).get("enc", ()))),
        rounds=len(trees) // (outputs * parallel),
        best_iteration=None if best is None else int(best),
    )


def _texts(encoded: Mapping[str, Any]) -> tuple[str, ...]:
    """A feature's categories, which stand one after the other as Arrow's texts do; none if they are numbers."""
    if "offsets" not in encoded:
        return ()
    content = np.asarray(encoded["values"]).astype(np.uint8).tobytes()
    return tuple(content[start:end].decode() for start, end in pairwise(np.asarray(encoded["offsets"], np.int64)))


def _link(objective: str) -> int:
    if objective not in LINKS:
        raise ArtifactError(f"the model's objective is {objective!r:.40}; this server knows {', '.join(LINKS)}")
    return LINKS[objective]


def _bases(text: str, link: int, outputs: int) -> NDArray[np.float32]:
    """The intercepts, which are stored as predictions, as sums: one an output, or one for all."""
    bases = np.array([float(part) for part in text.strip("[]").split(",")], np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == SIGMOID:
            bases = -np.log(np.float32(1) / bases - np.float32(1))
        if link == EXPONENTIAL:
            bases = np.log(bases)
    if not np.isfinite(bases).all():
        raise ValueError(f"base_score is {text!r:.40}")
    return np.ascontiguousarray(np.broadcast_to(bases, outputs))


class _Tree:
    """One tree, with its own numbering of nodes, words and sets."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        if int(tree["tree_param"].get("size_leaf_vector", "1")) > 1:
            raise ArtifactError(
                "the model's leaves are vectors (multi_output_tree); this server knows one value a leaf"
            )
        left, right = (np.asarray(tree[f"{side}_children"], np.int32) for side in ("left", "right"))
        count = len(left)
        self.nodes = np.zeros(count, NODE)
        own = np.arange(count, dtype=np.int32)[:, None]
        self.nodes["child"] = own
        self.nodes["threshold"] = _checked(tree["split_conditions"], count)
        split = left >= 0
        self.nodes["child"][split] = np.stack([left, _checked(right, count)], 1)[split]
        if (self.nodes["child"][split] == own[split]).any():
            raise ValueError("a split leads back")
        self.nodes["feature"][split] = _checked(tree["split_indices"], count)[split]
        self.nodes["kind"] = (_checked(tree["default_left"], count) != 0) * MISSING_LEFT
        self.depth = _depth(self.nodes["child"])
        self.sets, self.bits = self._categories(tree, split)

    def _categories(self, tree: Mapping[str, Any], split: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mark the categorical nodes, and return their sets and words."""
        chosen = np.asarray(tree.get("categories_nodes", ()), np.int64)
        split_type = np.asarray(tree.get("split_type", ()), np.int64)
        if (np.flatnonzero(split_type * split[: len(split_type)]).tolist()) != chosen.tolist():
            raise ValueError("categories_nodes does not fit split_type")
        codes = np.asarray(tree.get("categories", ()), np.int64)
        words = [
            _words(codes[first : first + size])
            for first, size in zip(tree["categories_segments"], tree["categories_sizes"], strict=True)
        ] if len(chosen) else []  # fmt: skip
        if len(words) != len(chosen):
            raise ValueError("categories_segments does not fit categories_nodes")
        ends = np.cumsum([0, *map(len, words)])
        self.nodes["kind"][chosen] |= CATEGORICAL + SET * np.arange(len(chosen), dtype=np.int32)
        return np.stack([ends[:-1], ends[1:]], 1), np.concatenate([np.zeros(0, np.uint32), *words])


def _checked(values: Sequence[Any] | NDArray[Any], count: int) -> NDArray[Any]:
    array = np.asarray(values)
    if array.shape != (count,) or array.dtype.kind not in "iuf":
        raise ValueError(f"a tree's list has the shape {array.shape}, expected {count} numbers")
    return array


def _words(codes: NDArray[np.int64]) -> NDArray[np.uint32]:
    if not len(codes) or codes.min() < 0 or codes.max() >= MAX_CATEGORY:
        raise ValueError("a categorical split is on no categories")
    words = np.zeros(int(codes.max()) // 32 + 1, np.uint32)
    np.bitwise_or.at(words, codes // 32, np.left_shift(np.uint32(1), (codes % 32).astype(np.uint32)))
    return words


def _depth(child: NDArray[np.int32]) -> int:
    """Steps to the deepest leaf.

    Raises:
        ValueError: a child that is none, or a path that leads back.
    """
    if not len(child) or (child < 0).any() or (child >= len(child)).any():
        raise ValueError("a split leads out of its tree")
    at, step, seen = np.zeros(1, np.int32), 0, 1
    while len(at := at[child[at, 0] != at]):
        step, at = step + 1, child[at].ravel()
        seen += len(at)
        if seen > len(child):
            raise ValueError("a split leads back")
    return step


def _join(trees: list[_Tree], features: int) -> dict[str, NDArray[Any]]:
    sizes = np.array([len(tree.nodes) for tree in trees])
    roots = np.cumsum([0, *sizes[:-1]])
    nodes = np.concatenate([tree.nodes for tree in trees])
    nodes["child"] += np.repeat(roots, sizes).astype(np.int32)[:, None]
    if ((nodes["feature"] < 0) | (nodes["feature"] >= features)).any():
        raise ValueError("a split is on no feature")
    first_set = np.cumsum([0, *(len(tree.sets) for tree in trees[:-1])])
    first_word = np.cumsum([0, *(len(tree.bits) for tree in trees[:-1])])
    categorical = (nodes["kind"] & CATEGORICAL) != 0
    nodes["kind"][categorical] += SET * np.repeat(first_set, sizes).astype(np.int32)[categorical]
    sets = np.concatenate([tree.sets + first for tree, first in zip(trees, first_word, strict=True)])
    return {
        "nodes": nodes,
        "roots": roots.astype(np.int32),
        "depths": np.array([tree.depth for tree in trees], np.int32),
        "sets": np.ascontiguousarray(sets, np.int32),
        "bits": np.concatenate([tree.bits for tree in trees]).astype(np.uint32),
    }
