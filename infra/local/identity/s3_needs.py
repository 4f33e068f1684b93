"""What a call of S3 takes: actions with names of their own, and the key that an object is encrypted with.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Iterator
from typing import Final

from infra.local.identity.api_call import ApiCall
from infra.local.identity.conditions import Context, context
from infra.local.identity.encryption import Keys

ACTIONS: Final = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
"""By operation, where the action is called otherwise."""
READS: Final = ("GetObject", "CopyObject", "UploadPartCopy")
WRITES: Final = ("PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
PARTS: Final = ("UploadPart", "CompleteMultipartUpload", "UploadPartCopy")
"""Whoever puts parts together reads them."""
Need = tuple[str, str | None, Context]


class S3Needs:
    """What calls of S3 take."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def of(self, call: ApiCall) -> Iterator[Need]:
        """Action, resource and condition keys of each thing that must be allowed."""
        given = call.parameters
        action = f"s3:{ACTIONS.get(call.operation, call.operation)}"
        if "VersionId" in given and call.operation in {"GetObject", "HeadObject", "DeleteObject"}:
            action += "Version"
        bucket = given.get("Bucket")
        for resource in _resources(given):
            yield action, resource if bucket else "*", _known(call)
        if source := given.get("CopySource"):
            yield "s3:GetObject", f"arn:aws:s3:::{source.lstrip('/').split('?', 1)[0]}", {}
        if bucket and "Key" in given:
            yield from self._of_encryption(call, bucket, given["Key"])

    def _of_encryption(self, call: ApiCall, bucket: str, key: str) -> Iterator[Need]:
        via = context(**{"kms:ViaService": self._keys.place.via("s3")})
        if call.operation in READS:
            source = call.parameters.get("CopySource", f"{bucket}/{key}").lstrip("/").split("?", 1)[0]
            if encrypted_with := self._keys.of_object(*source.split("/", 1)):
                yield "kms:Decrypt", encrypted_with, via
        if call.operation in WRITES:
            encrypts_with = self._keys.of_new_object(bucket, call.parameters.get("SSEKMSKeyId"))
            if encrypts_with:
                yield "kms:GenerateDataKey", encrypts_with, via
                if call.operation in PARTS:
                    yield "kms:Decrypt", encrypts_with, via


def _resources(given: dict[str, object]) -> list[str]:
    bucket = f"arn:aws:s3:::{given.get('Bucket')}"
    if "Key" in given:
        return [f"{bucket}/{given['Key']}"]
    doomed = given.get("Delete")
    objects = doomed.get("Objects", []) if isinstance(doomed, dict) else []
    return [f"{bucket}/{one['Key']}" for one in objects] or [bucket]


def _known(call: ApiCall) -> Context:
    names = {
        "Prefix": "s3:prefix",
        "Delimiter": "s3:delimiter",
        "MaxKeys": "s3:max-keys",
        "ServerSideEncryption": "s3:x-amz-server-side-encryption",
        "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
    return {names[name]: (str(value),) for name, value in call.parameters.items() if name in names}
