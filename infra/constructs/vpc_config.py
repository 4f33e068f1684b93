"""Where jobs and endpoints run, as SageMaker's VpcConfig, and what their roles take to run there."""

from dataclasses import dataclass
from typing import Any

from infra.constructs.permissions import ServiceRole, allow
from infra.naming import Names

LOOK_UP = [f"ec2:Describe{what}" for what in ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")]


@dataclass(frozen=True)
class VpcConfig:
    """Subnets and security groups that network interfaces of jobs and endpoints are made in.

    Attributes:
        names: The environment's names.
        subnets: Their ids.
        security_groups: Their ids.
        content: What tells this network from another before AWS has named it: a model in another network is another
            model.
    """

    names: Names
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    content: tuple[Any, ...]

    @property
    def request(self) -> dict[str, list[str]]:
        """As SageMaker's API takes it."""
        return {"SecurityGroupIds": list(self.security_groups), "Subnets": list(self.subnets)}

    @property
    def arguments(self) -> Any:  # noqa: ANN401 - the provider's block
        """As `aws.SagemakerModel` takes it."""
        return {"security_group_ids": list(self.security_groups), "subnets": list(self.subnets)}

    def grant_interfaces(self, role: ServiceRole) -> None:
        """Make and remove network interfaces in these subnets, with these groups, for SageMaker.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (private VPC).
        """
        interfaces = [self._arn("network-interface", "*")]
        subnets = [self._arn("subnet", one) for one in self.subnets]
        groups = [self._arn("security-group", one) for one in self.security_groups]
        here = {"ArnEquals": {"ec2:Subnet": subnets}}
        permit = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"]
        role.grant(
            allow(["ec2:CreateNetworkInterface"], [*interfaces, *subnets, *groups]),
            allow(["ec2:DeleteNetworkInterface", *permit], interfaces, **here),
            allow(LOOK_UP, ["*"]),
        )

    def _arn(self, kind: str, id_: str) -> str:
        return f"arn:aws:ec2:{self.names.region}:{self.names.account}:{kind}/{id_}"
