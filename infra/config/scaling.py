"""How many instances serve."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from infra.config.base import Broken, Count, Positive, Section


class ScalingConfig(Section):
    """How many instances serve, in the owner's units: requests per second that one instance can take."""

    min: Count = 1
    """Fewest instances; a real-time endpoint cannot scale to zero."""
    max: Count = 2
    """Most instances; the same as min turns autoscaling off."""
    initial: Count | None = None
    """Instances when the endpoint is created; min unless given."""
    requests_per_second: Positive = 50.0
    """What one instance can take."""
    safety_factor: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of requests_per_second at which instances are added."""
    scale_in_cooldown_seconds: Annotated[int, Field(ge=0)] = 300
    """Pause after instances were removed."""
    scale_out_cooldown_seconds: Annotated[int, Field(ge=0)] = 60
    """Pause after instances were added."""

    @property
    def initial_count(self) -> int:
        """Instances when the endpoint is created."""
        return self.min if self.initial is None else self.initial

    def broken_rules(self) -> Iterator[Broken]:
        """A fleet needs min <= initial <= max."""
        low, start, high = self.min, self.initial_count, self.max
        if low > high:
            fix = "raise max or lower min"
            yield Broken((("min", f"is {low} but max is {high}: {fix}"), ("max", f"is {high} but min is {low}: {fix}")))
        elif start < low:
            fix = "raise initial or lower min"
            yield Broken(
                (("initial", f"is {start} but min is {low}: {fix}"), ("min", f"is {low} but initial is {start}: {fix}"))
            )
        elif start > high:
            fix = "raise max or lower initial"
            yield Broken(
                (
                    ("initial", f"is {start} but max is {high}: {fix}"),
                    ("max", f"is {high} but initial is {start}: {fix}"),
                )
            )
