"""Statistic sets that keep percentiles: values that lie close together share one.

CloudWatch knows a set's count, sum, least and greatest value, and so the percentiles of sets that hold one value only.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.local.validation import Json

RELATIVE_WIDTH = math.log(1.05)
"""Of a bucket: a percentile is at most this far off."""


@dataclass
class Distribution:
    """How often values of about the same size came; each bucket is told as its mean, so that sums stay exact."""

    buckets: dict[int | None, tuple[int, float]] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """Take in one more value, zero or more."""
        bucket = math.floor(math.log(value) / RELATIVE_WIDTH) if value > 0 else None
        count, total = self.buckets.get(bucket, (0, 0.0))
        self.buckets[bucket] = count + 1, total + value

    def sets(self) -> Iterator[Json]:
        """`StatisticValues`, one a bucket."""
        for count, total in self.buckets.values():
            mean = total / count
            yield {"SampleCount": count, "Sum": mean * count, "Minimum": mean, "Maximum": mean}
