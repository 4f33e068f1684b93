"""What the two roles may do: planning reads the settings of what the stacks declare, deploying changes it.

Everything the stacks make has the environment's prefix in its name, and both roles are held to that.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from infra.config import S3State
from infra.naming import Names

Statement = dict[str, Any]
Document = dict[str, Any]


class Service(NamedTuple):
    """One service's part of an environment: what its ARNs look like there, and what a plan reads of them."""

    arns: tuple[str, ...]
    """Patterns; {where} is region and account, {base} the environment's prefix."""
    reads: tuple[str, ...]


SERVICES: Final = {
    "application-autoscaling": Service(
        ("arn:aws:application-autoscaling:{where}:scalable-target/*",), ("ListTagsForResource",)
    ),
    "cloudwatch": Service(
        ("arn:aws:cloudwatch:{where}:alarm:{base}-*", "arn:aws:cloudwatch::{account}:dashboard/{base}-*"),
        ("DescribeAlarms", "GetDashboard", "ListTagsForResource"),
    ),
    "dynamodb": Service(
        ("arn:aws:dynamodb:{where}:table/{base}-*",),
        ("DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive", "ListTagsOfResource"),
    ),
    "ecr": Service(
        ("arn:aws:ecr:{where}:repository/{base}/*",),
        ("DescribeRepositories", "GetLifecyclePolicy", "GetRepositoryPolicy", "ListTagsForResource"),
    ),
    "events": Service(("arn:aws:events:{where}:rule/{base}-*",), ("DescribeRule", "List*")),
    "iam": Service(("arn:aws:iam::{account}:role/{base}-*",), ("Get*", "List*")),
    "kms": Service(
        ("arn:aws:kms:{where}:key/*", "arn:aws:kms:{where}:alias/{base}"),
        ("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"),
    ),
    "lambda": Service(("arn:aws:lambda:{where}:function:{base}-*",), ("GetFunction*", "GetPolicy", "List*")),
    "logs": Service(("arn:aws:logs:{where}:log-group:/aws/*{base}-*",), ("ListTagsForResource", "ListTagsLogGroup")),
    "s3": Service(
        ("arn:aws:s3:::{base}-*",),
        (
            *("GetAccelerateConfiguration", "GetBucket*", "GetEncryptionConfiguration", "GetLifecycleConfiguration"),
            *("GetReplicationConfiguration", "ListBucket"),
        ),
    ),
    "sagemaker": Service(
        ("arn:aws:sagemaker:{where}:*/{base}-*",), ("Describe*", "GetModelPackageGroupPolicy", "List*")
    ),
    "scheduler": Service(("arn:aws:scheduler:{where}:schedule/default/{base}-*",), ("GetSchedule", "List*")),
    "sns": Service(
        ("arn:aws:sns:{where}:{base}-*",),
        ("GetSubscriptionAttributes", "GetTopicAttributes", "ListTagsForResource"),
    ),
    "sqs": Service(("arn:aws:sqs:{where}:{base}-*",), ("GetQueueAttributes", "GetQueueUrl", "ListQueueTags")),
}
"""The services that the stacks use; a test holds it against every resource that they declare."""
ACCOUNT_WIDE: Final = (
    "application-autoscaling:Describe*",
    "kms:ListAliases",
    "logs:DescribeLogGroups",
    "sagemaker:ListModelPackages",
    "sts:GetCallerIdentity",
)
"""Reads for which AWS takes no single resource."""
PUSH: Final = ("ecr:GetAuthorizationToken",)
CREATE_KEY: Final = ("kms:CreateKey", "kms:TagResource")
"""A key has no name before it is there; the stacks' keys carry their environment as a tag."""
PASSED_TO: Final = ("events", "lambda", "sagemaker", "scheduler")


def document(statements: Sequence[Statement]) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def planning(names: Names, state: S3State) -> Document:
    """Read the settings of what is deployed, and the state; no object of a bucket, no log, no image."""
    reads = [_allow(name, service.reads, _arns(service, names)) for name, service in SERVICES.items()]
    return document([*reads, _everywhere(ACCOUNT_WIDE), *_state(names, state, ("GetObject",))])


def deploying(names: Names, state: S3State) -> Document:
    """Make, change and remove what the stacks declare, push images, write the state, and keep receipts."""
    services = {name: _arns(service, names) for name, service in SERVICES.items()}
    changes = [_allow(name, ("*",), arns) for name, arns in services.items() if name not in {"iam", "kms"}]
    written = ("Create*", "Delete*", "Get*", "List*", "Put*", "Tag*", "Untag*", "Update*")
    passed = _allow("iam", ("PassRole",), services["iam"])
    return document(
        [
            *changes,
            _allow("iam", written, services["iam"]),
            *_keys(names),
            passed | {"Condition": {"StringEquals": {"iam:PassedToService": [*map(_principal, PASSED_TO)]}}},
            _everywhere(ACCOUNT_WIDE + PUSH),
            *_state(names, state, ("DeleteObject", "GetObject", "PutObject")),
        ]
    )


def _keys(names: Names) -> Iterator[Statement]:
    """A key's ARN does not say whose it is; its tags do. An alias has no tags, but a name.

    A key is tagged as it is made, when it has none yet; one that has another environment's cannot be tagged over.
    """
    keys, alias = _arns(SERVICES["kms"], names)
    tagged = {"StringEquals": {"aws:ResourceTag/environment": names.environment}}
    yield _allow("kms", ("*",), [keys]) | {"Condition": tagged}
    made = {"StringEquals": {"aws:RequestTag/environment": names.environment}}
    not_theirs = {"StringEqualsIfExists": {"aws:ResourceTag/environment": names.environment}}
    yield _everywhere(CREATE_KEY) | {"Condition": made | not_theirs}
    yield _allow("kms", ("CreateAlias", "DeleteAlias", "UpdateAlias"), [alias])


def _state(names: Names, state: S3State, actions: Sequence[str]) -> Iterator[Statement]:
    """The environment's own states and locks, in a bucket that may hold those of others."""
    bucket = f"arn:aws:s3:::{state.bucket}"
    yield _allow("s3", ("ListBucket",), [bucket])
    yield _allow("s3", actions, [f"{bucket}/{state.key_prefix}/{names.environment}-*"])


def _allow(service: str, actions: Sequence[str], resources: list[str]) -> Statement:
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": resources}


def _everywhere(actions: Sequence[str]) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": ["*"]}


def _arns(service: Service, names: Names) -> list[str]:
    where = f"{names.region}:{names.account}"
    return [arn.format(where=where, base=names.base, account=names.account) for arn in service.arns]


def _principal(service: str) -> str:
    return f"{service}.amazonaws.com"
