"""Shares of a group's rows that are answered 1, of the groups that are large enough to have one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from monitoring.statistics.statistic import Counts, Values

LARGE_ENOUGH: Final = 30
"""Rows below which a group's rate says next to nothing: its standard error is up to 9 points."""


def positive_rates(counts: Counts) -> Values:
    """The share of answers of 1 in each group, NaN in one without rows.

    Args:
        counts: Rows answered 0 and 1, shape (groups, 2).

    Returns:
        Shape (groups,).
    """
    rows = counts.sum(axis=-1)
    return np.asarray(np.divide(counts[:, 1], rows, out=np.full(len(counts), np.nan), where=rows > 0))


def large_enough(counts: Counts, least_rows: int = LARGE_ENOUGH) -> npt.NDArray[np.bool_]:
    """Which groups have so many rows, shape (groups,)."""
    return np.asarray(counts.sum(axis=-1) >= max(least_rows, 1))


def extremes(counts: Counts, least_rows: int) -> tuple[float, float] | None:
    """The lowest and the highest rate of the groups that are large enough; None with fewer than two of them."""
    rates = positive_rates(counts)[large_enough(counts, least_rows)]
    if len(rates) < 2:  # noqa: PLR2004 - nothing to compare with
        return None
    return float(rates.min()), float(rates.max())
