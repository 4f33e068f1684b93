"""When a value is drift."""


class Verdict:
    """A value and the threshold from which on it is drift.

    Attributes:
        value: The statistic.
        threshold: Above 0.
    """

    value: float
    threshold: float

    @property
    def ratio(self) -> float:
        """The statistic in thresholds: comparable whatever the statistic and the window's size."""
        return self.value / self.threshold

    @property
    def drifted(self) -> bool:
        """Whether the statistic reaches the threshold, as the alarm on its metric has it."""
        return self.value >= self.threshold
