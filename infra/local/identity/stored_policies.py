"""The policies that are in force now, read from moto's stores: of roles, and of what is asked for."""

import json
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.ecr.models import ecr_backends
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from infra.local.identity.encryption import ABSENT
from infra.local.identity.evaluation import Policies
from infra.local.identity.policy import Access, Policy, parse
from infra.local.identity.sessions import PARTITION

OPEN: Final = parse('{"Statement": {"Effect": "Allow", "Principal": "*"}}')
"""Of what is not there: a service's call reaches it, and is told so."""


class StoredPolicies:
    """What one account has."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._readers = {
            "iam": self._trust,
            "kms": self._key,
            "lambda": self._function,
            "ecr": self._repository,
            "s3": self._bucket,
            "sns": self._topic,
            "sqs": self._queue,
        }

    def about(self, access: Access, role_arn: str | None) -> Policies:
        """All that has a say in an access that a role's session asks for, or, without a role, a service."""
        role = None if role_arn is None else self.role(role_arn)
        decides = access.action.startswith("kms:") or access.action == "sts:AssumeRole"
        resource = self._of_resource(access)
        if role is None:
            return Policies(resource=resource, resource_decides=decides)
        return Policies(self._identity(role), self._boundary(role), resource, resource_decides=decides)

    def role(self, arn: str) -> Role | None:
        """A role, if there is one."""
        return next((role for role in list(self._iam.roles.values()) if role.arn == arn), None)

    @property
    def _iam(self) -> IAMBackend:
        return iam_backends[self._account][PARTITION]

    def _identity(self, role: Role) -> tuple[Policy, ...]:
        attached = [_document(managed) for managed in role.managed_policies.values()]
        return tuple(parse(_text(document)) for document in [*role.policies.values(), *attached])

    def _boundary(self, role: Role) -> Policy | None:
        if not role.permissions_boundary_arn:
            return None
        return parse(_text(_document(self._iam.get_policy(role.permissions_boundary_arn))))

    def _of_resource(self, access: Access) -> Policy | None:
        service, region, resource = _parts(access.resource or "")
        if service not in self._readers or (service == "iam" and access.action != "sts:AssumeRole"):
            return None
        try:
            document = self._readers[service](region, resource)
        except ABSENT:
            return OPEN if access.principal.service else None
        return parse(_text(document)) if document else None

    def _trust(self, _region: str, resource: str) -> str | None:
        role = self.role(f"arn:aws:iam::{self._account}:{resource}")
        return None if role is None else str(role.assume_role_policy_document)

    def _key(self, region: str, resource: str) -> str | None:
        return str(kms_backends[self._account][region].get_key_policy(resource.removeprefix("key/")))

    def _function(self, region: str, resource: str) -> str | None:
        function = lambda_backends[self._account][region].get_function(resource.split(":")[1])
        return json.dumps({"Statement": function.policy.statements})

    def _repository(self, region: str, resource: str) -> str | None:
        repositories = ecr_backends[self._account][region].repositories
        policy: str | None = repositories[resource.removeprefix("repository/")].policy
        return policy

    def _bucket(self, _region: str, resource: str) -> str | None:
        policy: Any = s3_backends[self._account][PARTITION].get_bucket(resource.split("/", 1)[0]).policy
        return policy.decode() if policy else None

    def _topic(self, region: str, resource: str) -> str | None:
        arn = f"arn:aws:sns:{region}:{self._account}:{resource}"
        return str(sns_backends[self._account][region].topics[arn].policy)

    def _queue(self, region: str, resource: str) -> str | None:
        policy: str | None = sqs_backends[self._account][region].queues[resource].policy
        return policy


def _document(managed: ManagedPolicy) -> Any:  # noqa: ANN401 - as `_text` takes it
    return next(version.document for version in managed.versions if version.is_default)


def _parts(arn: str) -> tuple[str, str, str]:
    """Service, region and resource of an ARN; nothing of what is none."""
    parts = arn.split(":", 5)
    return (parts[2], parts[3], parts[5]) if len(parts) > 5 else ("", "", "")  # noqa: PLR2004 - an ARN has six parts


def _text(document: Any) -> str:  # noqa: ANN401 - moto keeps some policies as text and some parsed
    return document if isinstance(document, str) else json.dumps(document)
