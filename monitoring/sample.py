"""Some of the baseline's rows, as bins and scores: of them, whole, windows without drift are drawn.

What moves one feature by chance moves its fellows too: length, width and height of one stone are hardly three features.
Only rows that are drawn whole show by how much.
"""

import base64
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.bins import Bins
from monitoring.correlation import Association, greatest_influence, pair_correlations, pair_errors
from monitoring.statistics.statistic import Counts, Values
from monitoring.threads import PROCESSORS, side_by_side

POOL: Final = 50_000
"""Rows of the baseline that the sample is chosen of."""
EXTREME: Final = 500
"""Rows of the pool that move a correlation most, all of them kept: much depends on how many of them a window has."""
ORDINARY: Final = 1500
"""Rows drawn at random of the others, for which they stand."""
BLOCK: Final = 250
"""So many windows have their correlations taken at once."""
CHANCES: Final = 1 << 16
"""So many equally likely numbers of copies of a row are looked up from: far faster than to draw each."""
SEED: Final = 20130101

Kind = TypeVar("Kind", bound=np.generic)
Drawn = npt.NDArray[np.float32]
"""How often each row of the sample stands in each of many windows, shape (draws, rows)."""


@dataclass(frozen=True)
class Sample:
    """Rows of the baseline.

    Attributes:
        places: The bin of each value, shape (features, rows).
        scores: As `monitoring.moments` has them, of the features whose correlations are looked at, shape (…, rows).
        shares: The share of the baseline that each row stands for, shape (rows,).
    """

    places: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.int8]
    shares: Values

    @classmethod
    def of(cls, bins: Sequence[Bins], rows: pl.DataFrame, association: Association | None) -> "Sample":
        """Of the baseline's rows: the extreme ones, and some of the others."""
        pool = rows.sample(min(len(rows), POOL), shuffle=True, seed=SEED)
        scores = association.scales.scores(association.columns(pool)) if association else np.empty((0, len(pool)))
        # The pool is shuffled: its first rows are any.
        order = np.argsort(-greatest_influence(scores), kind="stable") if association else np.arange(len(pool))
        extreme, others = order[:EXTREME], np.sort(order[EXTREME:])
        chosen = np.concatenate([extreme, others[:ORDINARY]])
        shares = np.full(len(chosen), 1 / len(pool))
        shares[len(extreme) :] *= len(others) / max(len(chosen) - len(extreme), 1)
        places = np.stack([each.places(pool[each.name].gather(chosen)) for each in bins])
        return cls(places.astype(np.uint8), scores[:, chosen].astype(np.int8), shares)

    def windows(self, rows: int, draws: int, generator: np.random.Generator) -> Drawn:
        """Windows of about `rows` rows, drawn with replacement."""
        drawn = np.empty((draws, len(self.shares)), dtype=np.float32)
        chances = generator.integers(CHANCES, size=drawn.shape, dtype=np.uint16)
        bounds = [0, *(np.flatnonzero(np.diff(self.shares)) + 1).tolist(), len(self.shares)]
        for begin, end in pairwise(bounds):
            copies = _poisson_quantiles(rows * float(self.shares[begin]))
            drawn[:, begin:end] = copies[chances[:, begin:end]]
        return drawn

    def counts(self, windows: Drawn, bins: Sequence[int]) -> list[Counts]:
        """Each feature's rows in each of its so many bins, by window, each of shape (draws, bins)."""
        first = np.cumsum([0, *bins])
        one_of_each = np.zeros((len(self.shares), first[-1]), dtype=np.float32)
        np.put_along_axis(one_of_each, first[:-1] + self.places.T, 1, axis=1)
        # One product for all: a product for each feature would read the windows anew, and they are far beyond caches.
        return np.split((windows @ one_of_each).astype(np.int64), first[1:-1], axis=1)

    def correlation_changes(self, then: Drawn, now: Drawn) -> Values:
        """The largest change of any pair's correlation, in its standard errors of one row, by draw, shape (draws,)."""
        scores = self.scores.astype(np.float32)
        errors = pair_errors(self.scores.astype(np.float64), self.shares)

        def changes(start: int) -> Values:
            before, after = (pair_correlations(side[start : start + BLOCK], scores) for side in (then, now))
            return np.asarray((np.abs(after - before) / errors).max(axis=1))

        return np.concatenate([*side_by_side(changes, range(0, len(then), BLOCK), threads=PROCESSORS)])

    def mean_changes(self, then: Drawn, now: Drawn) -> Values:
        """The change of each mean score, by draw, shape (draws, features)."""
        scores = self.scores.astype(np.float32).T
        before, after = (side @ scores / side.sum(axis=1, keepdims=True) for side in (then, now))
        return np.asarray(after - before, dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it: the bytes of the two arrays, compressed."""
        return {
            "shares": self.shares.tolist(),
            "places": _packed(self.places),
            "scores": _packed(self.scores),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any], bins: Sequence[Bins]) -> "Sample":
        """What `to_json` made.

        Raises:
            ValueError: it is not of these bins.
        """
        shares = np.array(document["shares"], dtype=np.float64)
        places = _unpacked(document["places"], np.uint8, len(shares))
        scores = _unpacked(document["scores"], np.int8, len(shares))
        most = [len(each.labels()) for each in bins]
        if len(places) != len(most) or (places.max(axis=1) >= most).any():
            raise ValueError("the sample is not of these features and bins")
        return cls(places, scores, shares)


def _poisson_quantiles(mean: float) -> npt.NDArray[np.float32]:
    """`CHANCES` equally likely numbers, of a Poisson distribution."""
    reach = 10 * math.sqrt(mean) + 10
    numbers = np.arange(max(0, int(mean - reach)), int(mean + reach) + 1)
    log_factorials = np.array([math.lgamma(number + 1) for number in numbers.tolist()])
    below = np.exp(numbers * math.log(mean) - mean - log_factorials).cumsum()
    places = np.searchsorted(below, (np.arange(CHANCES) + 0.5) / CHANCES)
    return numbers[np.minimum(places, len(numbers) - 1)].astype(np.float32)


def _packed(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(array.tobytes())).decode()


def _unpacked(text: str, kind: type[Kind], rows: int) -> npt.NDArray[Kind]:
    unpacked: npt.NDArray[Kind] = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind)
    return unpacked.reshape(-1, rows)
