"""What state an alarm is in, from its data points alone: M out of N, and missing data as AWS documents it.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

COMPARISONS: Final = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
EXTRA_PERIODS = 2
"""How many periods beyond the evaluation periods are looked at when some are missing: AWS's tables show 5 for 3."""


@dataclass(frozen=True)
class Threshold:
    """When data points breach, and how many must."""

    comparison: str
    bound: float
    evaluation_periods: int
    datapoints_to_alarm: int
    missing: Missing = "missing"

    @property
    def evaluation_range(self) -> int:
        """How many of the latest periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def breached(self, value: float) -> bool:
        """Whether one data point is beyond the threshold."""
        return bool(COMPARISONS[self.comparison](value, self.bound))


@dataclass(frozen=True)
class Verdict:
    """A state, the data points it rests on (period number and value, oldest first), and how many were made up."""

    state: State
    points: tuple[tuple[int, float], ...]
    filled: int


def evaluate(threshold: Threshold, values: Mapping[int, float], end: int, current: State) -> Verdict:
    """The state after period number `end`.

    Args:
        threshold: The alarm's rule.
        values: Data points by period number; a period without one is missing.
        end: The latest period to look at.
        current: The alarm's state, kept where AWS keeps it.
    """
    first = end - threshold.evaluation_range + 1
    points = tuple((period, values[period]) for period in range(first, end + 1) if period in values)
    points = points[-threshold.evaluation_periods :]
    filled = threshold.evaluation_periods - len(points)
    breaching = sum(threshold.breached(value) for _, value in points)
    if filled and threshold.missing == "breaching":
        breaching += filled
    if breaching >= threshold.datapoints_to_alarm:
        return Verdict("ALARM", points, filled)
    if filled and threshold.missing in ("missing", "ignore"):
        return Verdict(_with_gaps(threshold, points, end, current), points, filled)
    return Verdict("OK", points, filled)


def _with_gaps(threshold: Threshold, points: tuple[tuple[int, float], ...], end: int, current: State) -> State:
    """With too few data points, and too few of them breaching."""
    if any(not threshold.breached(value) for _, value in points):
        return "OK"
    if threshold.missing == "ignore":
        return current
    if not points:
        return "INSUFFICIENT_DATA"
    # Nothing has contradicted the breach for as long as it takes to alarm: AWS calls it the premature alarm state.
    oldest = end - points[0][0] + 1
    return "ALARM" if oldest >= threshold.datapoints_to_alarm else "OK"
