"""What a deploy may do to networks: make one, and change what carries the environment's tag."""

from collections.abc import Iterator
from typing import Final

from infra.bootstrap.statements import Statement, allow
from infra.naming import Names

MADE: Final = ("route-table", "security-group", "security-group-rule", "subnet", "vpc", "vpc-endpoint", "vpc-flow-log")
MAKE: Final = (
    *("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateFlowLogs", "CreateRouteTable"),
    *("CreateSecurityGroup", "CreateSubnet", "CreateVpc", "CreateVpcEndpoint"),
)
"""What makes something with a tag of its own, and asks besides for what it is made in."""


def changes(names: Names) -> Iterator[Statement]:
    """Nothing of another environment, and nothing that has no tag.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    arn = f"arn:aws:ec2:{names.region}:{names.account}"
    requested = {"aws:RequestTag/environment": names.environment}
    made = [f"{arn}:{kind}/*" for kind in MADE]
    yield allow("ec2", MAKE, made) | {"Condition": {"StringEquals": requested}}
    yield allow("ec2", ("CreateTags",), made) | {"Condition": {"StringEquals": requested | {"ec2:CreateAction": MAKE}}}
    tagged = {"StringEquals": {"aws:ResourceTag/environment": names.environment}}
    yield allow("ec2", ("*",), [f"{arn}:*/*"]) | {"Condition": tagged}
