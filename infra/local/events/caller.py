"""In whose name a target is called: a role's, or the service's own, which the target's policy must then allow."""

from dataclasses import dataclass
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.identity.sessions import Session

KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What whoever sends to something encrypted needs of its key."""


@dataclass(frozen=True)
class Caller:
    """A service that calls targets on behalf of a rule, a schedule, an alarm or a function."""

    cloud: LocalCloud
    service: str
    """As policies name it: `events.amazonaws.com`."""
    source_arn: str
    """On whose behalf."""
    role_arn: str | None = None
    """The role that it calls as; none if it calls as itself."""
    session_name: str = "sagestack"

    def client(self, service: str, action: str, target_arn: str) -> Any:  # noqa: ANN401 - boto3's clients
        """A boto3 client for one action on one target.

        A role is asked when it calls; a service has nobody to ask but the target, and so is asked here.

        Args:
            service: by boto3's name.
            action: as policies name it.
            target_arn: whose own policy must allow it to a service.

        Raises:
            AccessDeniedError: the role does not trust the service, or the target's policy does not allow it.
        """
        if self.role_arn is not None:
            return self.cloud.client(service, self.session(self.role_arn))
        authority = self.cloud.authority
        authority.require_of_service(self.service, action, target_arn, source_arn=self.source_arn)
        if key := authority.keys.of(target_arn):
            for needed in KEY_ACTIONS:
                authority.require_of_service(self.service, needed, key, source_arn=self.source_arn)
        return self.cloud.client(service)

    def session(self, role_arn: str) -> Session:
        """The role, assumed.

        Raises:
            AccessDeniedError: it does not trust the service, or is not there.
        """
        authority = self.cloud.authority
        return authority.assume(role_arn, self.service, source_arn=self.source_arn, name=self.session_name)
