"""What is read of the environment that another releases from: its versions, artifacts and images."""

from collections.abc import Iterator

from infra.bootstrap.statements import Statement, allow
from infra.naming import Names


def versions(source: Names) -> Iterator[Statement]:
    """Look up which versions are registered: what a promotion reads."""
    where = f"{source.region}:{source.account}"
    package = f"arn:aws:sagemaker:{where}:model-package"
    yield allow("sagemaker", ("DescribeModelPackageGroup",), [f"{package}-group/{source.base}-*"])
    yield allow("sagemaker", ("DescribeModelPackage", "ListModelPackages"), [f"{package}/{source.base}-*"])


def reads(source: Names) -> Iterator[Statement]:
    """Nothing is changed there, and nothing but the registry is read; its policies must allow this account, too."""
    where, registry = f"{source.region}:{source.account}", f"arn:aws:s3:::{source.bucket('registry')}"
    yield from versions(source)
    yield allow("s3", ("GetObject",), [f"{registry}/*"])
    yield allow("s3", ("ListBucket",), [registry])
    condition = {
        "StringEquals": {"kms:ViaService": f"s3.{source.region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [registry, f"{registry}/*"]},
    }
    yield allow("kms", ("Decrypt",), [f"arn:aws:kms:{where}:key/*"]) | {"Condition": condition}
    pull = ("BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer")
    yield allow("ecr", pull, [f"arn:aws:ecr:{where}:repository/{source.base}/*"])
