"""A forest as `leaves.c` scores it: what each split, and each run of splits, strikes out of the leaves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.core.forest import NAN_LEFT, Forest

LEAVES_A_WORD: Final = 32
LANES: Final = 16
MOST_WORDS: Final = 8192
MOST_FEATURES: Final = 512
MOST_TABLE_WORDS: Final = 1 << 24
"""The tables of a forest take 64 MiB at most."""
ALL: Final = np.uint32(0xFFFFFFFF)
FEATURE: Final = np.dtype(
    [(name, np.int32) for name in ("input", "split", "checkpoint", "checkpoints", "table", "codes")]
)
_STEPS_A_LEVEL: Final = 2
"""A level of a walk takes about as long as two steps here, a step being a split or LANES words of a table's row."""
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Leaves:
    """Arrays for `leaves.c`, which says what they hold."""

    asked: NDArray[Any]
    thresholds: NDArray[np.float64]
    checkpoints: NDArray[np.float64]
    places: NDArray[np.int32]
    kept: NDArray[np.uint32]
    tables: NDArray[np.uint32]
    starts: NDArray[np.int32]
    values: NDArray[np.float64]
    words: int
    spacing: int


@dataclass(frozen=True)
class _Splits:
    """One feature's splits by threshold, each once for every word that it strikes out of; and how many codes it has."""

    feature: int
    nodes: Whole
    thresholds: NDArray[np.float64]
    places: Whole
    kept: NDArray[np.uint32]
    codes: int


@dataclass(frozen=True)
class _Column:
    """One feature's part of the arrays; without thresholds if it is categorical."""

    splits: _Splits
    thresholds: NDArray[np.float64]
    checkpoints: NDArray[np.float64]
    places: Whole
    kept: NDArray[np.uint32]
    table: NDArray[np.uint32]


def leaves_of(forest: Forest) -> Leaves | None:
    """The arrays of a forest; None if they would be too large, or if a walk of its trees is quicker."""
    left = forest.nodes["left"].astype(np.int64)
    levels = list(_levels(forest, left))
    size = _sizes(left, levels)
    words = -(-size[forest.roots] // LEAVES_A_WORD)
    starts = np.cumsum(words) - words
    place = np.zeros(len(left), np.int64)
    place[forest.roots] = starts * LEAVES_A_WORD
    _number(place, left, levels, size)
    total = -(-int(words.sum()) // LANES) * LANES
    features = list(_by_feature(forest, np.concatenate(levels), place, place + size[left]))
    spacing = max(LANES, total // LANES)
    if not _pays(forest, features, total, spacing):
        return None
    values = np.zeros(total * LEAVES_A_WORD)
    leaves = left == np.arange(len(left))
    values[place[leaves]] = forest.values[leaves]
    columns = [_column(forest, one, total, spacing) for one in features]
    return _joined(columns, starts, values, spacing)


def _levels(forest: Forest, left: Whole) -> Iterator[Whole]:
    """The splits, level by level from the roots."""
    at = forest.roots.astype(np.int64)
    while len(at):
        splits = at[left[at] != at]
        yield splits
        at = np.concatenate([left[splits], left[splits] + 1])


def _sizes(left: Whole, levels: list[Whole]) -> Whole:
    """By node, how many leaves are below it."""
    size = np.ones(len(left), np.int64)
    for splits in reversed(levels):
        size[splits] = size[left[splits]] + size[left[splits] + 1]
    return size


def _number(place: Whole, left: Whole, levels: list[Whole], size: Whole) -> None:
    """By node, the bit of the first leaf below it, as the roots have it; leaves stand in their order from the left."""
    for splits in levels:
        place[left[splits]] = place[splits]
        place[left[splits] + 1] = place[splits] + size[left[splits]]


def _by_feature(forest: Forest, splits: Whole, begin: Whole, end: Whole) -> Iterator[_Splits]:
    """Every feature's splits; each strikes out the bits from `begin` to `end`, which are given by node."""
    first, last = begin[splits] // LEAVES_A_WORD, (end[splits] - 1) // LEAVES_A_WORD
    times = last - first + 1
    nodes = np.repeat(splits, times)
    words = np.repeat(first + times - np.cumsum(times), times) + np.arange(len(nodes))
    low = np.maximum(begin[nodes] - words * LEAVES_A_WORD, 0)
    high = np.minimum(end[nodes] - words * LEAVES_A_WORD, LEAVES_A_WORD)
    kept = ~((1 << high) - (1 << low)).astype(np.uint32)
    thresholds, feature = forest.nodes["threshold"][nodes], forest.feature[nodes]
    order = np.lexsort((thresholds, feature))
    for one in np.unique(feature).tolist():
        own = order[slice(*np.searchsorted(feature[order], [one, one + 1]))]
        codes = _codes(forest, nodes[own])
        yield _Splits(one, nodes[own], thresholds[own], words[own], kept[own], codes)


def _codes(forest: Forest, nodes: Whole) -> int:
    """How many codes there are rows for, with one for all others; 0 for a numeric feature."""
    chosen = nodes[forest.categorical[nodes]]
    sets = forest.sets[forest.nodes["threshold"][chosen].astype(np.int64)]
    return int((sets[:, 1] - sets[:, 0]).max()) * 32 + 1 if len(chosen) else 0


def _pays(forest: Forest, features: list[_Splits], words: int, spacing: int) -> bool:
    """Whether this fits, and is quicker than a walk, by what was measured of both."""
    rows = sum(one.codes or len(one.nodes) // spacing + 2 for one in features)
    fits = words <= MOST_WORDS and len(features) <= MOST_FEATURES and rows * words <= MOST_TABLE_WORDS
    of_one_kind = all(forest.categorical[one.nodes].all() or not one.codes for one in features)
    steps = len(features) * (words // LANES + spacing) + len(forest.roots)
    return fits and of_one_kind and steps <= _STEPS_A_LEVEL * int(forest.depths.sum()) + LANES


def _column(forest: Forest, one: _Splits, words: int, spacing: int) -> _Column:
    """What `leaves.c` needs of a feature."""
    if one.codes:
        table, none = _by_code(forest, one, words), slice(0)
        return _Column(one, one.thresholds[none], one.thresholds[none], one.places[none], one.kept[none], table)
    runs = len(one.nodes) // spacing
    padding = (0, (runs + 1) * spacing - len(one.nodes))
    return _Column(
        one,
        np.pad(one.thresholds, padding, constant_values=np.inf),
        one.thresholds[spacing - 1 : runs * spacing : spacing],
        np.pad(one.places, padding),
        np.pad(one.kept, padding, constant_values=ALL),
        _by_run(forest, one, words, spacing),
    )


def _by_run(forest: Forest, one: _Splits, words: int, spacing: int) -> NDArray[np.uint32]:
    """What is left of all leaves for a missing value, and after no run of splits, after one, and so on."""
    runs = len(one.nodes) // spacing
    table = np.full((runs + 2, words), ALL)
    right = (forest.nodes["test"][one.nodes] & NAN_LEFT) == 0
    np.bitwise_and.at(table[0], one.places[right], one.kept[right])
    whole = slice(runs * spacing)
    run = np.arange(runs * spacing) // spacing
    np.bitwise_and.at(table, (run + 2, one.places[whole]), one.kept[whole])
    table[1:] = np.bitwise_and.accumulate(table[1:], axis=0)
    return table


def _by_code(forest: Forest, one: _Splits, words: int) -> NDArray[np.uint32]:
    """What is left of all leaves for each category's code, and for a value that is in no set."""
    table = np.full((one.codes, words), ALL)
    for chosen, place, kept in zip(one.thresholds.astype(np.int64), one.places, one.kept, strict=True):
        own = forest.bits[slice(*forest.sets[chosen])]
        inside = np.zeros(one.codes, np.bool_)
        inside[: len(own) * 32] = np.unpackbits(own.astype("<u4").view(np.uint8), bitorder="little")
        table[~inside, place] &= kept
    return table


def _joined(columns: list[_Column], starts: Whole, values: NDArray[np.float64], spacing: int) -> Leaves:
    asked = np.zeros(len(columns), FEATURE)
    asked["input"] = [one.splits.feature for one in columns]
    asked["codes"] = [one.splits.codes for one in columns]
    asked["split"] = _starts(len(one.thresholds) for one in columns)
    asked["checkpoint"] = _starts(len(one.checkpoints) for one in columns)
    asked["checkpoints"] = [len(one.checkpoints) for one in columns]
    asked["table"] = _starts(len(one.table) for one in columns)
    return Leaves(
        asked=asked,
        thresholds=_chained((one.thresholds for one in columns), np.float64),
        checkpoints=_chained((one.checkpoints for one in columns), np.float64),
        places=_chained((one.places for one in columns), np.int32),
        kept=_chained((one.kept for one in columns), np.uint32),
        tables=_chained((one.table.ravel() for one in columns), np.uint32),
        starts=starts.astype(np.int32),
        values=values,
        words=len(values) // LEAVES_A_WORD,
        spacing=spacing,
    )


def _starts(lengths: Iterable[int]) -> Whole:
    """Where each of some arrays begins when they are put one after the other."""
    ends = np.cumsum([0, *lengths])
    return ends[:-1]


def _chained(arrays: Iterable[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *arrays]).astype(kind)
