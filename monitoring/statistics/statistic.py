"""What every statistic says of itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
"""One count a bin, shape (bins,): of the baseline or of a window, over the same bins; the last is missing values."""
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """A distance between two distributions over the same bins.

    Attributes:
        name: As in reports and configuration.
        title: As people say it.
        feature_types: Of `numeric`, `categorical`: what it is meant for.
        compute: (counts of the baseline, counts of the window) -> the distance. Counts may have more axes in front of
            the bins, shape (…, bins): one distance each, shape (…).
    """

    name: str
    title: str
    feature_types: frozenset[str]
    compute: Callable[[Counts, Counts], Values]


def shares(counts: Counts, pseudo_count: float = 0.0) -> Values:
    """Each bin's share of the rows, shape (…, bins), after `pseudo_count` rows are added to every bin.

    Raises:
        ValueError: there are no rows, and no pseudo-count.
    """
    smoothed = counts.astype(np.float64) + pseudo_count
    return np.asarray(smoothed / rows_of(smoothed))


def rows_of(counts: Counts | Values) -> Values:
    """The rows of all bins together, shape (…, 1).

    Raises:
        ValueError: there are none.
    """
    total = counts.sum(axis=-1, keepdims=True, dtype=np.float64)
    if (total == 0).any():
        raise ValueError("no rows to take shares of")
    return np.asarray(total)


def same_bins(baseline: Counts, current: Counts) -> None:
    """Refuse counts over different bins.

    Raises:
        ValueError: the bins differ in number.
    """
    then, now = baseline.shape[-1], current.shape[-1]
    if then != now:
        raise ValueError(f"{then} bins in the baseline, {now} in the window: not the same bins")
