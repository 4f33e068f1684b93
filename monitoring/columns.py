"""Counts over whole columns of numbers, by the library (`native/columns.h`) where the image has it, or else by NumPy.

Both give the same whole numbers. The library walks a column once in the processor's cache, and without the GIL.
"""

import ctypes
from collections.abc import Sequence
from typing import Final

import numpy as np

from monitoring.library import scan_library
from monitoring.statistics.statistic import Counts, Values

BLOCK: Final = 2048
"""Rows that the library scores at a time: `BLOCK_ROWS`."""


class _Moments(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("columns", "means", "steps", "scores", "sums", "products")),
        ("reach", ctypes.c_double),
        *((name, ctypes.c_int64) for name in ("features", "rows")),
    )


def rows_at_most(column: Values, edges: Values) -> Counts:
    """For each edge, how many numbers do not lie above it, shape (edges,); NaN lies above infinity too."""
    library = scan_library()
    if library is None:
        return np.array([np.count_nonzero(column <= edge) for edge in edges], dtype=np.int64)
    column, found = np.ascontiguousarray(column), np.empty(len(edges), dtype=np.int64)
    library.columns_at_most(column.ctypes.data, len(column), edges.ctypes.data, len(edges), found.ctypes.data)
    return found


def sums_of_scores(columns: Sequence[Values], means: Values, steps: Values, reach: int) -> tuple[Counts, Counts] | None:
    """Counts of scores and of their products, as `monitoring.moments` has them; None where there is no library."""
    library = scan_library()
    if library is None:
        return None
    columns = [np.ascontiguousarray(column) for column in columns]
    addresses = np.array([column.ctypes.data for column in columns], dtype=np.uint64)
    sums, products = np.zeros(len(columns), dtype=np.int64), np.zeros((len(columns),) * 2, dtype=np.int64)
    arrays = addresses, means, steps, np.empty((len(columns), BLOCK), dtype=np.int16), sums, products
    moments = _Moments(*(array.ctypes.data for array in arrays), reach, len(columns), len(columns[0]))
    library.columns_moments(ctypes.byref(moments))
    return sums, products
