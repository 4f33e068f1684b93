"""What an environment lets other accounts read of its registry: packages, artifacts, their key, and the serving image.

Each says so in a policy of its own; the other account's own policies must allow it too, and allow its roles no more
than one model's.
"""

from collections.abc import Sequence
from typing import Final

from infra.constructs.permissions import Statement
from infra.naming import ModelNames, Names

PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def through_s3(region: str) -> dict[str, str]:
    """The condition that a key is used for S3's objects."""
    return {"kms:ViaService": f"s3.{region}.amazonaws.com"}


def shared_bucket(arn: str, accounts: Sequence[str]) -> list[Statement]:
    """Read and list the registry's objects."""
    if not accounts:
        return []
    return [
        _allow("SharedObjects", accounts, ["s3:GetObject"], f"{arn}/*"),
        _allow("SharedList", accounts, ["s3:ListBucket"], arn),
    ]


def shared_key(names: Names, accounts: Sequence[str]) -> list[Statement]:
    """Decrypt objects of the registry, which S3 names in the encryption context."""
    if not accounts:
        return []
    registry = f"arn:aws:s3:::{names.bucket('registry')}"
    condition = {
        "StringEquals": through_s3(names.region),
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [registry, f"{registry}/*"]},
    }
    return [_allow("SharedRegistry", accounts, ["kms:Decrypt"], "*") | {"Condition": condition}]


def shared_images(accounts: Sequence[str]) -> list[Statement]:
    """Pull a repository's images, and look which there are."""
    statement = _allow("SharedImages", accounts, [*PULL, "ecr:DescribeImages"], "*")
    del statement["Resource"]  # a repository's policy speaks of that repository
    return [statement]


def shared_group(names: ModelNames, accounts: Sequence[str]) -> list[Statement]:
    """Look versions up, and serve them as variants; not register, change or approve any.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
    """
    use = ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
    return [
        _allow("SharedGroup", accounts, ["sagemaker:DescribeModelPackageGroup"], names.group_arn),
        _allow("SharedVersions", accounts, use, names.versions_arn),
    ]


def _allow(sid: str, accounts: Sequence[str], actions: list[str], resource: str) -> Statement:
    roots = [f"arn:aws:iam::{account}:root" for account in accounts]
    principal = {"AWS": roots if len(roots) > 1 else roots[0]}
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resource}
