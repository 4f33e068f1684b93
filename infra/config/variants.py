"""Other versions of the model beside the release: variants that share its traffic, and a shadow that only listens."""

import struct
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from infra.config.base import Broken, Count, InstanceType, Name, Section

Weight = Annotated[float, Field(ge=0)]


class VariantConfig(Section):
    """Another version of the model, with a share of the endpoint's traffic and a fleet of fixed size."""

    name: Name
    """The variant's name; clients may ask for it as TargetVariant. Keep it: a renamed variant is a new one."""
    version: Count
    """Version in the model package group; it must be approved."""
    weight: Weight
    """Share of the traffic, relative to the other weights; 0 for clients that ask for this variant only."""
    instance_type: InstanceType | None = None
    """SageMaker instance type; the endpoint's unless given."""
    instances: Count = 1
    """Instances that serve this variant."""

    def broken_rules(self) -> Iterator[Broken]:
        """The weight must survive AWS."""
        yield from inexact("weight", self.weight)


class ShadowConfig(Section):
    """Another version of the model that gets copies of requests; its answers are captured and never returned."""

    version: Count
    """Version in the model package group; it must be approved."""
    percent: Annotated[float, Field(gt=0, le=100)] = 100.0
    """Share of requests that are copied, in quarters, eighths and so on of 100."""
    instance_type: InstanceType | None = None
    """SageMaker instance type; the endpoint's unless given."""
    instances: Count = 1
    """Instances that serve the shadow."""

    @property
    def weight(self) -> float:
        """The share as AWS takes it: relative to the production variant's weight of 1."""
        return self.percent / 100

    def broken_rules(self) -> Iterator[Broken]:
        """The share must survive AWS."""
        if _as_aws_keeps(self.weight) != self.weight:
            why = "is not exact as the 32-bit weight that AWS keeps, and Terraform would plan a change for ever"
            nearest = 100 * round(self.weight * 64) / 64 or 100 / 64
            yield Broken((("percent", f"is {self.percent:g}, which {why}: take {nearest:g}"),))


def inexact(key: str, weight: float) -> Iterator[Broken]:
    """A weight that comes back from AWS as another number (AWS provider issue 43643)."""
    if _as_aws_keeps(weight) != weight:
        why = "AWS keeps weights as 32-bit numbers, so Terraform would plan a change for ever"
        fix = "take whole numbers, such as 9 and 1 for 90 and 10 %"
        yield Broken(((key, f"is {weight:g} but {why}: {fix}"),))


def _as_aws_keeps(weight: float) -> float:
    try:
        kept: float = struct.unpack("f", struct.pack("f", weight))[0]
    except OverflowError:
        return float("inf")
    return kept
