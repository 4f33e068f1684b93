"""The role of a job, a pipeline or a model: what SageMaker does in its name, and the keys that containers find.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from infra.local.cloud import LocalCloud
from infra.local.engine import Container
from infra.local.identity.authority import AccessDeniedError
from infra.local.identity.conditions import context
from infra.local.identity.sessions import Session
from infra.local.validation import ValidationException

SAGEMAKER: Final = "sagemaker.amazonaws.com"
ECR_IMAGE: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com/(?P<name>[^:@]+)")
PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


@dataclass(frozen=True)
class ExecutionRole:
    """A role that SageMaker has assumed."""

    cloud: LocalCloud
    session: Session

    @classmethod
    def assumed(cls, cloud: LocalCloud, role_arn: str, source_arn: str) -> Self:
        """Assume a role on behalf of a resource.

        Raises:
            ValidationException: it does not trust SageMaker, or is not there.
        """
        try:
            return cls(cloud, cloud.authority.assume(role_arn, SAGEMAKER, source_arn=source_arn))
        except AccessDeniedError as error:
            raise ValidationException(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal"
                f" '{SAGEMAKER}' to assume the role."
            ) from error

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A boto3 client that calls in the role's name."""
        return self.cloud.client(service, self.session)

    def start_containers(self, images: tuple[str, ...], volume_key: str | None = None) -> None:
        """What is asked of the role before a container runs: pulling its image, and a key for its volume.

        Raises:
            AccessDeniedError: it may not do one of these.
        """
        authority = self.cloud.authority
        for found in filter(None, map(ECR_IMAGE.match, images)):
            repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
            authority.require(self.session, "ecr:GetAuthorizationToken", "*")
            for action in PULL:
                authority.require(self.session, action, repository)
        if key := authority.keys.named(volume_key):
            authority.require(self.session, "kms:CreateGrant", key, context(**{"kms:GrantIsForAWSResource": "true"}))

    def write_outputs(self, key: str | None) -> None:
        """What is asked of the role before outputs are encrypted with a key that the request names.

        Raises:
            AccessDeniedError: it may not.
        """
        if arn := self.cloud.authority.keys.named(key):
            self.cloud.authority.require(self.session, "kms:Encrypt", arn)

    def given_to(self, container: Container, *, isolated: bool) -> Container:
        """A container that finds the role's keys, unless it is isolated from the network."""
        return container if isolated else replace(container, credentials=self.session.variables)
