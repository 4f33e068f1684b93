"""A sample of a window's rows that is the same however the window was cut: the rows with the smallest hashes.

Source: Cohen and Kaplan, Summarizing data using bottom-k sketches (2007).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.bins import Numbers

LINES_A_FILE: Final = 64
"""Only a capture file's first records may be sampled: to read all of them with care would cost more than to count."""
SEED: Final = 20130101


@dataclass(frozen=True)
class Sample:
    """Rows as the model's matrix, and what they were chosen by.

    Attributes:
        most: No more rows than this are kept.
        keys: Each row's hash, rising, shape (rows,).
        rows: In the signature's order, shape (rows, inputs); NaN where missing.
    """

    most: int
    keys: npt.NDArray[np.uint64]
    rows: Numbers

    @classmethod
    def of(cls, rows: pl.DataFrame, most: int, encode: Callable[[pl.DataFrame], Numbers]) -> "Sample":
        """The rows of a frame (a column an input) with the smallest hashes; `encode` makes them the model's matrix."""
        keys = rows.hash_rows(seed=SEED).to_numpy()
        smallest = np.argsort(keys, kind="stable")[:most]
        return cls(most, keys[smallest], encode(rows[smallest]))

    def __add__(self, other: "Sample") -> "Sample":
        keys = np.concatenate([self.keys, other.keys])
        smallest = np.argsort(keys, kind="stable")[: self.most]
        return Sample(self.most, keys[smallest], np.concatenate([self.rows, other.rows])[smallest])

    def to_json(self) -> dict[str, Any]:
        """As one host leaves it to another."""
        return {"most": self.most, "keys": self.keys.tolist(), "rows": self.rows.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Sample":
        """What `to_json` made.

        Raises:
            ValueError: keys and rows do not fit each other.
        """
        keys, rows = np.array(document["keys"], dtype=np.uint64), np.array(document["rows"], dtype=np.float64)
        if len(keys) != len(rows):
            raise ValueError("a sample's keys and rows differ in number")
        return cls(int(document["most"]), keys, rows)
