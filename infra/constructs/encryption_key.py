"""The environment's KMS key: everything at rest is encrypted with it."""

from collections.abc import Sequence

from infra.constructs.permissions import ServiceRole, Statement, allow, policy_document
from infra.constructs.retention import retained
from infra.constructs.sharing import shared_key
from infra.naming import Names
from infra.provider import Construct, aws


class EncryptionKey(Construct):
    """A rotating customer-managed key with an alias; services may use it only on behalf of this account."""

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, protected: bool, readers: Sequence[str] = ()
    ) -> None:
        super().__init__(scope, id_)
        self.key = aws.KmsKey(
            self,
            "key",
            description=f"{names.base}: data, models, captured traffic and logs",
            enable_key_rotation=True,
            deletion_window_in_days=30 if protected else 7,
            policy=_key_policy(names, shared_key(names, readers)),
            **retained(protected=protected),
        )
        self.alias = f"alias/{names.base}"
        aws.KmsAlias(self, "alias", name=self.alias, target_key_id=self.key.key_id)

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return self.key.arn

    def grant_use(self, role: ServiceRole) -> None:
        """Read and write what is encrypted with the key: objects, items, messages."""
        role.grant(allow(["kms:Decrypt", "kms:GenerateDataKey"], [self.arn]))

    def grant_decrypt(self, role: ServiceRole) -> None:
        """Read what is encrypted with the key."""
        role.grant(allow(["kms:Decrypt"], [self.arn]))

    def grant_outputs(self, role: ServiceRole) -> None:
        """Name the key in a request as that of its outputs.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
        """
        role.grant(allow(["kms:Encrypt"], [self.arn]))

    def grant_volumes(self, role: ServiceRole) -> None:
        """Let AWS encrypt the volumes of the role's jobs with the key.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (volume KMS key).
        """
        self.grant_name(role)
        role.grant(allow(["kms:CreateGrant"], [self.arn], Bool={"kms:GrantIsForAWSResource": "true"}))

    def grant_name(self, role: ServiceRole) -> None:
        """Name the key as that of something the role makes: whoever makes it looks whether the key is there."""
        role.grant(allow(["kms:DescribeKey"], [self.arn]))


def _key_policy(names: Names, shared: list[Statement]) -> str:
    account = {"StringEquals": {"aws:SourceAccount": names.account}}
    root = {
        "Sid": "Administration",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{names.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    publishers = {
        "Sid": "EncryptedNotifications",
        "Effect": "Allow",
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": account,
    }
    logs_arn = f"arn:aws:logs:{names.region}:{names.account}:log-group:*"
    logs = {
        "Sid": "EncryptedLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{names.region}.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs_arn}},
    }
    return policy_document([root, publishers, logs, *shared])
