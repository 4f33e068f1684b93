"""Roles and what they may do: a role starts with nothing, and the constructs it uses grant it the least they take."""

import json
from typing import Any, Final

from infra.naming import Names
from infra.provider import Construct, aws

Statement = dict[str, Any]
SOURCES: Final = {
    "lambda.amazonaws.com": "arn:aws:lambda:{where}:function:{base}-*",
    "sagemaker.amazonaws.com": "arn:aws:sagemaker:{where}:*",
    "scheduler.amazonaws.com": "arn:aws:scheduler:{where}:schedule-group/default",
    "vpc-flow-logs.amazonaws.com": "arn:aws:ec2:{where}:vpc-flow-log/*",
}
"""What a service says it acts for when it assumes a role; Scheduler names the group of its schedules."""
BOUNDARY_CONTEXT: Final = "permissions_boundary"
"""A stack's context with the ARN of the policy that bounds its roles: no construct can forget to hand it on."""


def allow(actions: list[str], resources: list[str], **condition: dict[str, Any]) -> Statement:
    """One Allow statement; conditions as `StringEquals={"key": "value"}`."""
    statement: Statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def policy_document(statements: list[Statement]) -> str:
    """A policy as IAM returns it, so that a second plan finds nothing to change."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class ServiceRole(Construct):
    """A role that one AWS service may assume for this environment only, and the one inline policy it gathers."""

    def __init__(self, scope: Construct, id_: str, *, name: str, service: str, names: Names) -> None:
        super().__init__(scope, id_)
        self._statements: list[Statement] = []
        self._name = name
        self.role = aws.IamRole(
            self,
            "role",
            name=name,
            assume_role_policy=_trust(service, names),
            permissions_boundary=self.node.try_get_context(BOUNDARY_CONTEXT),
            force_detach_policies=True,
        )

    @property
    def arn(self) -> str:
        """The role's ARN; depends on the role, not on its policy."""
        return self.role.arn

    def grant(self, *statements: Statement) -> None:
        """Add to what the role may do, each statement once; `attach` writes it down."""
        self._statements.extend(one for one in statements if one not in self._statements)

    def attach(self) -> aws.IamRolePolicy:
        """The inline policy with everything granted so far; call once, and depend on it before acting as the role."""
        return aws.IamRolePolicy(
            self, "policy", name=self._name, role=self.role.name, policy=policy_document(self._statements)
        )


def _trust(service: str, names: Names) -> str:
    """Only on behalf of this account, and of what may have such a role in it: the confused-deputy conditions.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    source = SOURCES[service].format(where=f"{names.region}:{names.account}", base=names.base)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": names.account},
            "ArnLike": {"aws:SourceArn": source},
        },
    }
    return policy_document([statement])
