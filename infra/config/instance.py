"""The machine a job runs on."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from infra.config.base import Broken, InstanceType, Section

GPU_FAMILIES: Final = ("g", "p")
"""Instance families with a GPU begin with these letters and a digit: g5, p3, p4d."""


def has_gpu(instance_type: str) -> bool:
    """Whether a SageMaker instance type has a GPU."""
    family = instance_type.split(".")[1]
    return family[0] in GPU_FAMILIES and family[1:2].isdigit()


class InstanceConfig(Section):
    """The machine that a training or processing job runs on."""

    type: InstanceType = "ml.m5.xlarge"
    """SageMaker instance type."""
    count: Annotated[int, Field(ge=1)] = 1
    """Machines; the images work on one."""
    volume_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    """Disk for data and model, in GB."""

    def broken_rules(self) -> Iterator[Broken]:
        """More than one machine would do the same work twice."""
        if self.count > 1:
            yield Broken(
                (("count", f"is {self.count} but the images work on one instance: set it to 1 and take a larger type"),)
            )
