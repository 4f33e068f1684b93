"""One S3 bucket as every bucket here is: versioned, encrypted, private, TLS-only, owner-enforced, access-logged."""

from collections.abc import Sequence
from typing import Any, Final

from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import ServiceRole, Statement, allow, policy_document
from infra.constructs.retention import retained
from infra.constructs.sharing import shared_bucket
from infra.naming import Names
from infra.provider import Construct, aws

UNFINISHED_UPLOAD_DAYS: Final = 7


class Bucket(Construct):
    """A private bucket; one that receives access logs has S3-managed encryption, all that log delivery takes."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        key: EncryptionKey | None = None,
        access_logs: "Bucket | None" = None,
        receives_logs_of: Names | None = None,
        protected: bool,
        superseded_days: int | None = None,
        expire_days: int | None = None,
        events: bool = False,
        lock_days: int | None = None,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.arn = f"arn:aws:s3:::{name}"
        self.bucket = aws.S3Bucket(
            self, "bucket", bucket=name, force_destroy=not protected, **retained(protected=protected)
        )
        self._encrypt(key)
        locked = [_locked_for_all(self.arn)] if lock_days is not None and protected else []
        logging = [] if receives_logs_of is None else [_log_delivery(self.arn, receives_logs_of)]
        self.policy = self._close([*logging, *locked, *shared_bucket(self.arn, readers)])
        versioning = aws.S3BucketVersioning(
            self, "versioning", bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}
        )
        if lock_days is not None:
            self._lock(lock_days, after=versioning)
        if rules := _lifecycle(superseded_days, expire_days):
            aws.S3BucketLifecycleConfiguration(
                self, "lifecycle", bucket=self.bucket.id, **rules, depends_on=[versioning]
            )
        if access_logs is not None:
            aws.S3BucketLogging(
                self,
                "logging",
                bucket=self.bucket.id,
                target_bucket=access_logs.bucket.id,
                target_prefix=f"{name}/",
                depends_on=[access_logs.policy],
            )
        if events:
            aws.S3BucketNotification(self, "events", bucket=self.bucket.id, eventbridge=True)

    def grant_read(self, role: ServiceRole, prefix: str = "") -> None:
        """Read and list what lies below `prefix`."""
        self.grant_get(role, prefix)
        self.grant_list(role, prefix)

    def grant_get(self, role: ServiceRole, prefix: str) -> None:
        """Read what lies below `prefix`, by its name."""
        role.grant(allow(["s3:GetObject"], [f"{self.arn}/{prefix}*"]))

    def grant_list(self, role: ServiceRole, prefix: str) -> None:
        """List what lies below `prefix`."""
        role.grant(allow(["s3:ListBucket"], [self.arn], StringLike={"s3:prefix": [f"{prefix}*"]}))

    def grant_write(self, role: ServiceRole, prefix: str = "") -> None:
        """Add objects below `prefix`; not delete."""
        role.grant(allow(["s3:AbortMultipartUpload", "s3:PutObject"], [f"{self.arn}/{prefix}*"]))

    def _encrypt(self, key: EncryptionKey | None) -> None:
        aws.S3BucketServerSideEncryptionConfiguration(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "AES256" if key is None else "aws:kms",
                        "kms_master_key_id": None if key is None else key.arn,
                    },
                    "bucket_key_enabled": key is not None,
                }
            ],
        )

    def _lock(self, days: int, *, after: aws.S3BucketVersioning) -> None:
        """Each new version is kept as it is; a bucket that is there takes it too.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
        """
        aws.S3BucketObjectLockConfiguration(
            self,
            "lock",
            bucket=self.bucket.id,
            rule={"default_retention": {"mode": "GOVERNANCE", "days": days}},
            depends_on=[after],
        )

    def _close(self, statements: list[Statement]) -> aws.S3BucketPolicy:
        private = aws.S3BucketPublicAccessBlock(
            self,
            "private",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        owned = aws.S3BucketOwnershipControls(
            self, "ownership", bucket=self.bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}
        )
        policy = policy_document([_tls_only(self.arn), *statements])
        return aws.S3BucketPolicy(self, "policy", bucket=self.bucket.id, policy=policy, depends_on=[private, owned])


def _lifecycle(superseded_days: int | None, expire_days: int | None) -> dict[str, Any]:
    """What is replaced, deleted or never finished goes; what is current only where it may expire.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    everything = {"status": "Enabled", "filter": [{"prefix": ""}]}
    superseded = {
        "id": "superseded",
        **everything,
        "noncurrent_version_expiration": [{"noncurrent_days": superseded_days}],
        "abort_incomplete_multipart_upload": [{"days_after_initiation": UNFINISHED_UPLOAD_DAYS}],
    }
    expired = {"id": "expired", **everything, "expiration": [{"days": expire_days}]}
    rules = ([] if superseded_days is None else [superseded]) + ([] if expire_days is None else [expired])
    return {"rule": rules} if rules else {}


def _tls_only(arn: str) -> Statement:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _locked_for_all(arn: str) -> Statement:
    """Whoever deploys may do anything with the bucket, and so could pass a lock over; not while this stands there."""
    return {
        "Sid": "LockedForAll",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:BypassGovernanceRetention",
        "Resource": f"{arn}/*",
    }


def _log_delivery(arn: str, names: Names) -> Statement:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html."""
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{arn}/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": names.account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{names.base}-*"},
        },
    }
