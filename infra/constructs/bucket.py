"""One S3 bucket as every bucket here is: versioned, encrypted, private, TLS-only, owner-enforced, access-logged."""

from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import ServiceRole, allow, policy_document
from infra.provider import Construct, aws


class Bucket(Construct):
    """A private bucket; `key=None` (the access logs' own bucket) means S3-managed encryption, all that log delivery takes."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        key: EncryptionKey | None,
        access_logs: "Bucket | None",
        protected: bool,
        events: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.arn = f"arn:aws:s3:::{name}"
        self.bucket = aws.S3Bucket(
            self, "bucket", bucket=name, force_destroy=not protected, lifecycle={"prevent_destroy": protected}
        )
        self._encrypt(key)
        self._close()
        aws.S3BucketVersioning(
            self, "versioning", bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}
        )
        if access_logs is not None:
            aws.S3BucketLogging(
                self, "logging", bucket=self.bucket.id, target_bucket=access_logs.bucket.id, target_prefix=f"{name}/"
            )
        if events:
            aws.S3BucketNotification(self, "events", bucket=self.bucket.id, eventbridge=True)

    def grant_read(self, role: ServiceRole, prefix: str = "") -> None:
        """Read and list what lies below `prefix`."""
        role.grant(
            allow(["s3:GetObject"], [f"{self.arn}/{prefix}*"]),
            allow(["s3:ListBucket"], [self.arn], StringLike={"s3:prefix": [f"{prefix}*"]}),
        )

    def grant_write(self, role: ServiceRole, prefix: str = "") -> None:
        """Add objects below `prefix`; not delete."""
        role.grant(allow(["s3:AbortMultipartUpload", "s3:PutObject"], [f"{self.arn}/{prefix}*"]))

    def _encrypt(self, key: EncryptionKey | None) -> None:
        default = {"sse_algorithm": "AES256"} if key is None else {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}
        rule = {"apply_server_side_encryption_by_default": default, "bucket_key_enabled": key is not None}
        aws.S3BucketServerSideEncryptionConfiguration(self, "encryption", bucket=self.bucket.id, rule=[rule])

    def _close(self) -> None:
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
        aws.S3BucketPolicy(
            self, "tls-only", bucket=self.bucket.id, policy=_tls_only(self.arn), depends_on=[private, owned]
        )


def _tls_only(arn: str) -> str:
    deny = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return policy_document([deny])
