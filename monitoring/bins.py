"""Bins: where a feature's values are counted, frozen when the baseline is made and never looked at again.

A column's distribution is one count a bin, an integer vector that adds up over files, hours and hosts. A window can
therefore not move its own yardstick, and counting parts and adding them is the same as counting the whole.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import sub
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.columns import rows_at_most
from monitoring.errors import MonitoringError
from monitoring.statistics import Counts

QUANTILE_BINS: Final = 10
"""A numeric feature's bins hold about a tenth of the baseline each; fewer where values repeat."""
CATEGORY_BINS: Final = 20
"""So many of the most frequent categories have a bin of their own; the others share one.

A bin a category, for hundreds of them, would make small windows drift by chance alone (see `statistics.psi`).
"""

LARGEST: Final = float(np.finfo(np.float64).max)
RARE, NEW, MISSING = -3, -2, -1
"""Where the counts of categories that have no bin of their own are."""

Numbers = npt.NDArray[np.float64]
"""A numeric column, NaN where a value is missing."""
Places = npt.NDArray[np.int32]
"""A categorical column as the bins that its values are counted in."""


@dataclass(frozen=True)
class NumericBins:
    """(-inf, e1], (e1, e2], …, (ek, inf), and one for missing values.

    Attributes:
        name: The column.
        edges: e1 < e2 < … < ek; none if the baseline held no value at all.
    """

    name: str
    edges: tuple[float, ...]
    type: Literal["numeric"] = "numeric"

    @classmethod
    def fit(cls, values: pl.Series) -> "NumericBins":
        """Edges at the quantiles of the baseline's finite values.

        Where a tenth or more of them sit on the smallest value, an empty bin lies below it, so that a window that goes
        lower is seen to; a constant is no special case. Where all are infinite, finite ones get a bin between them.
        """
        column = values.cast(pl.Float64).to_numpy()
        known = column[np.isfinite(column)]
        if not known.size:
            return cls(values.name, (-LARGEST, LARGEST) if np.isinf(column).any() else ())
        inner = np.arange(1, QUANTILE_BINS) / QUANTILE_BINS
        edges = np.unique(np.quantile(known, inner, method="inverted_cdf"))
        if -LARGEST < edges[0] == known.min():
            edges = np.concatenate([[np.nextafter(edges[0], -np.inf)], edges])
        return cls(values.name, tuple(float(edge) for edge in edges))

    def count(self, values: pl.Series) -> Counts:
        """Rows in each bin, shape (len(edges) + 2,), missing (null or NaN) last."""
        return self.count_numbers(values.cast(pl.Float64).to_numpy())

    def count_numbers(self, column: Numbers) -> Counts:
        """The same of numbers."""
        at_most = [0, *rows_at_most(column, self._bounds).tolist(), len(column)]
        return np.array([*map(sub, at_most[1:], at_most)], dtype=np.int64)

    @cached_property
    def _bounds(self) -> Numbers:
        """The edges, and infinity, above which only what is missing lies."""
        return np.array([*self.edges, np.inf])

    def places(self, values: pl.Series) -> Places:
        """The bin of each value, shape (rows,)."""
        column = values.cast(pl.Float64).to_numpy()
        found = np.searchsorted(self.edges, column).astype(np.int32)
        found[np.isnan(column)] = len(self.edges) + 1
        return found

    def labels(self) -> list[str]:
        """What each bin holds, in words, in the order of the counts."""
        bounds = ["-inf", *(f"{edge:.6g}" for edge in self.edges), "inf"]
        return [*(f"({low}, {high}]" for low, high in pairwise(bounds)), "missing"]

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        return {"name": self.name, "type": self.type, "edges": list(self.edges)}


@dataclass(frozen=True)
class CategoricalBins:
    """One for each frequent category, then one for the rare, one for those never seen before, one for missing values.

    Attributes:
        name: The column.
        categories: Those with a bin of their own, most frequent first.
        rare: The other categories of the baseline; they share a bin.
        once: How many categories the baseline has a single row of: as likely as one of them is one that it has none of.
    """

    name: str
    categories: tuple[str, ...]
    rare: tuple[str, ...]
    once: int = 0
    type: Literal["categorical"] = "categorical"

    @classmethod
    def fit(cls, values: pl.Series) -> "CategoricalBins":
        """The baseline's categories by frequency, then by name."""
        column = values.cast(pl.String).drop_nulls().alias("category")
        frequency = column.filter(column != "").value_counts().sort("count", "category", descending=[True, False])
        ordered = tuple(frequency["category"].to_list())
        once = int((frequency["count"] == 1).sum())
        return cls(values.name, ordered[:CATEGORY_BINS], ordered[CATEGORY_BINS:], once)

    def count(self, values: pl.Series) -> Counts:
        """Rows in each bin, shape (len(categories) + 3,): rare, new and missing (null or empty) are the last three."""
        counted = values.cast(pl.String).alias("category").value_counts()
        fresh = len(self.categories) + 1
        places = [self._places.get(category, fresh) for category in counted["category"].to_list()]
        return np.bincount(places, counted["count"].to_numpy(), minlength=fresh + 2).astype(np.int64)

    def places(self, values: pl.Series) -> Places:
        """The bin of each value, shape (rows,)."""
        column, fresh = values.cast(pl.String).fill_null(""), len(self.categories) + 1
        known = {category or "": place for category, place in self._places.items()}
        return column.replace_strict(known, default=fresh, return_dtype=pl.Int32).to_numpy()

    @cached_property
    def _places(self) -> dict[str | None, int]:
        """The bin of each known category."""
        rare = len(self.categories)
        places: dict[str | None, int] = dict.fromkeys(self.rare, rare)
        places.update((category, place) for place, category in enumerate(self.categories))
        return places | {None: rare + 2, "": rare + 2}

    def labels(self) -> list[str]:
        """What each bin holds, in words, in the order of the counts."""
        return [*self.categories, "rare", "new", "missing"]

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        names = {"categories": list(self.categories), "rare": list(self.rare)}
        return {"name": self.name, "type": self.type, **names, "once": self.once}


Bins = NumericBins | CategoricalBins


def read_bins(document: dict[str, Any]) -> Bins:
    """The bins that `to_json` wrote.

    Raises:
        MonitoringError: the type of feature is not known, or the edges do not rise.
    """
    name, kind = document["name"], document["type"]
    if kind == "categorical":
        return CategoricalBins(name, tuple(document["categories"]), tuple(document["rare"]), document.get("once", 0))
    if kind != "numeric":
        raise MonitoringError(f"baseline: feature {name} is of type {kind!r}: must be numeric or categorical")
    edges = tuple(float(edge) for edge in document["edges"])
    if any(low >= high for low, high in pairwise(edges)):
        raise MonitoringError(f"baseline: the edges of feature {name} do not rise")
    return NumericBins(name, edges)
