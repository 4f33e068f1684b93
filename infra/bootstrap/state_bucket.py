"""The bucket of Terraform's state: versioned, encrypted, private, TLS only.

It cannot be in a stack: the stacks' states are in it.
"""

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig, S3State
from infra.errors import UserError
from infra.session import own_client

DEFAULT_REGION: Final = "us-east-1"
"""S3 makes a bucket there when no region is named, and refuses to be told so."""
OLD_VERSIONS_KEPT_DAYS: Final = 365
ENCRYPTION: Final = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
}
PRIVATE: Final = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)
LIFECYCLE: Final = {
    "Rules": [
        {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_KEPT_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
}


def state_bucket(environment: EnvironmentConfig, state: S3State) -> str:
    """Make the bucket if it is not there, and set what it must be, whatever it was before; what was done.

    Args:
        environment: whose state it holds.
        state: names the bucket and its region.

    Raises:
        UserError: the name is taken by another account.
    """
    region = state.region or environment.region
    s3 = own_client(environment.model_copy(update={"region": region}), "s3")
    made = _made(s3, state.bucket, region)
    bucket = {"Bucket": state.bucket, "ExpectedBucketOwner": environment.account}
    s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=PRIVATE)
    s3.put_bucket_ownership_controls(
        **bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration=ENCRYPTION)
    s3.put_bucket_policy(**bucket, Policy=json.dumps(_tls_only(state.bucket)))
    s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration=LIFECYCLE)
    return f"bucket {state.bucket}: {'made' if made else 'was there'}; versioned, encrypted, private, TLS only"


def _made(s3: Any, bucket: str, region: str) -> bool:  # noqa: ANN401 - boto3's clients are made at run time
    """Whether it had to be made; in one region S3 answers a second creation with success, so it is looked for first."""
    if bucket in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        return False
    where = {} if region == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyExists":
            raise
        raise UserError(f"the bucket {bucket} is another account's: choose another name for state.bucket") from None
    return True


def _tls_only(bucket: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}"
    denied = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [denied]}
