"""What the two roles may do: planning reads the settings of what the stacks declare, deploying changes it.

Everything the stacks make has the environment's prefix in its name, and both roles are held to that.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from infra.bootstrap import network, registry_source
from infra.bootstrap.statements import Document, Statement, allow, document
from infra.config import CreatedNetwork, EnvironmentConfig, S3State
from infra.naming import Names


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
PASSED_TO: Final = ("events", "lambda", "sagemaker", "scheduler", "vpc-flow-logs")


def planning(environment: EnvironmentConfig, state: S3State, source: Names | None = None) -> Document:
    """Read the settings of what is deployed, the versions to release, and the state; no object, no log, no image."""
    names = environment.names
    released = () if source is None else registry_source.versions(source)
    reads = [allow(name, service.reads, _arns(service, names)) for name, service in SERVICES.items()]
    return document([*reads, *released, _everywhere(_account_wide(environment)), *_state(names, state, ("GetObject",))])


def deploying(environment: EnvironmentConfig, state: S3State, source: Names | None = None) -> Document:
    """Make, change and remove what the stacks declare, push images, write the state, and keep receipts."""
    names = environment.names
    services = {name: _arns(service, names) for name, service in SERVICES.items()}
    changes = [allow(name, ("*",), arns) for name, arns in services.items() if name not in {"iam", "kms"}]
    passed = allow("iam", ("PassRole",), services["iam"])
    return document(
        [
            *changes,
            *_roles(services["iam"], environment.boundary_arn),
            *_keys(names),
            passed | {"Condition": {"StringEquals": {"iam:PassedToService": [*map(_principal, PASSED_TO)]}}},
            _everywhere(_account_wide(environment) + PUSH),
            *(network.changes(names) if isinstance(environment.network, CreatedNetwork) else ()),
            *(() if source is None else registry_source.reads(source)),
            *_state(names, state, ("DeleteObject", "GetObject", "PutObject")),
        ]
    )


def _roles(roles: list[str], boundary: str | None) -> Iterator[Statement]:
    """Roles of the stacks; where there is a boundary, none without it, and none that loses it.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html (delegating to others).
    """
    freely = ("DeleteRole", "Get*", "List*", "Tag*", "Untag*", "Update*")
    given = ("CreateRole", "DeleteRolePolicy", "PutRolePermissionsBoundary", "PutRolePolicy")
    if boundary is None:
        yield allow("iam", (*freely, *given, "DeleteRolePermissionsBoundary"), roles)
        return
    yield allow("iam", freely, roles)
    yield allow("iam", given, roles) | {"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}


def _keys(names: Names) -> Iterator[Statement]:
    """A key's ARN does not say whose it is; its tags do. An alias has no tags, but a name.

    A key is tagged as it is made, when it has none yet; one that has another environment's cannot be tagged over.
    """
    keys, alias = _arns(SERVICES["kms"], names)
    tagged = {"StringEquals": {"aws:ResourceTag/environment": names.environment}}
    yield allow("kms", ("*",), [keys]) | {"Condition": tagged}
    made = {"StringEquals": {"aws:RequestTag/environment": names.environment}}
    not_theirs = {"StringEqualsIfExists": {"aws:ResourceTag/environment": names.environment}}
    yield _everywhere(CREATE_KEY) | {"Condition": made | not_theirs}
    yield allow("kms", ("CreateAlias", "DeleteAlias", "UpdateAlias"), [alias])


def _state(names: Names, state: S3State, actions: Sequence[str]) -> Iterator[Statement]:
    """The environment's own states and locks, in a bucket that may hold those of others."""
    bucket = f"arn:aws:s3:::{state.bucket}"
    yield allow("s3", ("ListBucket",), [bucket])
    yield allow("s3", actions, [f"{bucket}/{state.key_prefix}/{names.environment}-*"])


def _account_wide(environment: EnvironmentConfig) -> tuple[str, ...]:
    """EC2 has its descriptions only whole."""
    return (*ACCOUNT_WIDE, *(("ec2:Describe*",) if isinstance(environment.network, CreatedNetwork) else ()))


def _everywhere(actions: Sequence[str]) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": ["*"]}


def _arns(service: Service, names: Names) -> list[str]:
    where = f"{names.region}:{names.account}"
    return [arn.format(where=where, base=names.base, account=names.account) for arn in service.arns]


def _principal(service: str) -> str:
    return f"{service}.amazonaws.com"
