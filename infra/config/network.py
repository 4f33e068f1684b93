"""Where an environment's jobs and endpoints run: SageMaker's own network, one made for them, or one that is there."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from infra.config.base import Broken, Cidr, Section, SecurityGroupId, SubnetId

Zone = Literal["a", "b", "c", "d", "e", "f"]
SUBNET_BITS: Final = 3
"""An eighth of the network for each zone that there could be, so that another zone moves no subnet."""
WIDEST_PREFIX, NARROWEST_PREFIX = 16, 25
"""A VPC has 16 to 28 bits of prefix, a subnet at most 28.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""
InterfaceService = Literal[
    "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sagemaker.runtime", "sts"
]
NEEDED: Final = "monitoring"


class NoNetwork(Section):
    """No network of yours: jobs and endpoints run in SageMaker's."""

    kind: Literal["none"] = "none"
    """Whose network it is: none, create or existing."""


class CreatedNetwork(Section):
    """A VPC without a way to the internet, made for the environment, with private endpoints for what its jobs call."""

    kind: Literal["create"]
    """Whose network it is: none, create or existing."""
    cidr: Cidr = "10.0.0.0/16"
    """Private addresses of the VPC; an eighth of them for each zone."""
    zones: Annotated[tuple[Zone, ...], Field(strict=False, min_length=1)] = ("a", "b")
    """Letters of the availability zones, each with a private subnet. An instance type may be missing in one."""
    interfaces: Annotated[tuple[InterfaceService, ...], Field(strict=False)] = get_args(InterfaceService)
    """Services with an endpoint in each zone, charged by the hour; S3 has a free gateway besides."""

    def subnet(self, zone: Zone) -> str:
        """The addresses of a zone's subnet."""
        blocks = list(IPv4Network(self.cidr).subnets(SUBNET_BITS))
        return str(blocks[get_args(Zone).index(zone)])

    def broken_rules(self) -> Iterator[Broken]:
        """Addresses that a VPC can have, and zones and services that are named once."""
        yield from self._address_problems()
        for key in ("zones", "interfaces"):
            named = getattr(self, key)
            if twice := sorted({one for one in named if named.count(one) > 1}):
                yield Broken(((key, f"names {', '.join(twice)} twice: name each once"),))
        if NEEDED not in self.interfaces:
            why = f"lacks {NEEDED}, without which the drift job cannot publish its metrics: add it"
            yield Broken((("interfaces", why),))

    def _address_problems(self) -> Iterator[Broken]:
        try:
            network = IPv4Network(self.cidr)
        except ValueError as error:
            yield Broken((("cidr", f"is no block of addresses ({error}): start it where it begins, as 10.0.0.0/16"),))
            return
        if not WIDEST_PREFIX <= network.prefixlen <= NARROWEST_PREFIX:
            fits = f"/{WIDEST_PREFIX} to /{NARROWEST_PREFIX}"
            yield Broken(
                (("cidr", f"is {self.cidr}, but a VPC with a subnet a zone takes {fits}: choose one of those"),)
            )
        elif not network.is_private:
            yield Broken((("cidr", f"is {self.cidr}, which is somebody's on the internet: choose private addresses"),))


class ExistingNetwork(Section):
    """Subnets and security groups of a VPC that is there, with a way to S3 and to what jobs call."""

    kind: Literal["existing"]
    """Whose network it is: none, create or existing."""
    subnets: Annotated[tuple[SubnetId, ...], Field(strict=False, min_length=1, max_length=16)]
    """Ids of the subnets that jobs and endpoints run in; two zones or more, so that one may fail."""
    security_groups: Annotated[tuple[SecurityGroupId, ...], Field(strict=False, min_length=1, max_length=5)]
    """Ids of the security groups that they get; at most 5."""


NetworkConfig = Annotated[NoNetwork | CreatedNetwork | ExistingNetwork, Field(discriminator="kind")]
"""Where jobs and endpoints run. Limits of 16 and 5: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html"""
