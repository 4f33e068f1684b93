"""The machine a job runs on."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from infra.config.base import Broken, InstanceType, Section

GPU: Final = re.compile(r"^ml\.(g|gr|p)[0-9]")
"""Families of instances with a GPU: g5, g6e, gr6, p4d and their like."""


LOCAL_DISK: Final = re.compile(r"^ml\.([a-z]+\d+[a-z]*d[a-z]*|g[5-9][a-z]*|gr\d[a-z]*|p[5-9][a-z]*|trn\d[a-z]*)\.")
"""Families of instances with a disk of their own: m5d, r6gd, g4dn, g5, p4d, trn1 and their like.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html"""


def has_local_disk(instance_type: str) -> bool:
    """Whether an instance type keeps its files on a disk of its own, which the hardware encrypts.

    SageMaker refuses a key for the volume of such a type.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (KmsKeyId), and
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html (VolumeKmsKeyId).
    """
    return LOCAL_DISK.match(instance_type) is not None


def has_gpu(instance_type: str) -> bool:
    """Whether a SageMaker instance type has a GPU."""
    return GPU.match(instance_type) is not None


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


class HostsConfig(InstanceConfig):
    """The machines that a job runs on which shares its work out."""

    count: Annotated[int, Field(ge=1, le=20)] = 1
    """Machines; each reads its own hours of the window, and the first reports."""

    def broken_rules(self) -> Iterator[Broken]:
        """Any number of them do the work of one."""
        yield from ()
