"""What every statistic says of itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
"""One count a bin, shape (bins,): of the baseline or of a window, over the same bins."""


@dataclass(frozen=True)
class Statistic:
    """A distance between two distributions over the same bins.

    Attributes:
        name: As in reports and configuration.
        title: As people say it.
        feature_types: Of `numeric`, `categorical`: what it is meant for.
        default_threshold: From it on, a distribution is said to have drifted.
        compute: (counts of the baseline, counts of the window) -> the distance.
    """

    name: str
    title: str
    feature_types: frozenset[str]
    default_threshold: float
    compute: Callable[[Counts, Counts], float]
