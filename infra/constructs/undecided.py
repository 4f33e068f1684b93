"""The environment's queue of events that a governor failed on: Lambda says with each of them whose it was and why."""

from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import ServiceRole, allow
from infra.naming import Names
from infra.provider import Construct, aws

KEPT_SECONDS = 14 * 86_400


class Undecided(Construct):
    """One queue for all models: a queue of its own would cost each model's first deploy half a minute."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, key: EncryptionKey) -> None:
        super().__init__(scope, id_)
        self._key = key
        self.arn = f"arn:aws:sqs:{names.region}:{names.account}:{names.undecided}"
        aws.SqsQueue(
            self,
            "queue",
            name=names.undecided,
            message_retention_seconds=KEPT_SECONDS,
            kms_master_key_id=key.alias,  # by name, so that the provider's long wait for a queue begins with the key's
        )

    def grant_send(self, role: ServiceRole) -> None:
        """Leave an event there; not read one, which may be another model's."""
        role.grant(allow(["sqs:SendMessage"], [self.arn]))
        self._key.grant_use(role)
