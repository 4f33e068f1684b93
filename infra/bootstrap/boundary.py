"""The permissions boundary of the environment's roles: the most that any of them may do, whatever a stack gives it.

Deploying can make roles and write their policies; with the boundary it can make none that may do more than jobs,
endpoints and the governor ever need. Bootstrap makes it, outside of every stack and of what the deploy role may change.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.bootstrap import registry_source
from infra.bootstrap.statements import Document, Statement, allow, document
from infra.config import EnvironmentConfig
from infra.naming import Names

MOST_VERSIONS: Final = 5
"""Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (managed policy versions)."""
ENCRYPT: Final = ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")
PULL: Final = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
WRITE_LOGS: Final = ("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams", "PutLogEvents")
RUN: Final = (
    *("AddTags", "CreateModelPackage", "CreateProcessingJob", "CreateTrainingJob", "CreateTransformJob"),
    *("Describe*", "ListPipelineExecution*", "StartPipelineExecution", "StopProcessingJob", "StopTrainingJob"),
    "UpdateModelPackage",
)
PASSED_TO: Final = ("sagemaker", "scheduler")
INTERFACES: Final = tuple(
    f"{verb}NetworkInterface{what}" for verb in ("Create", "Delete") for what in ("", "Permission")
)


def boundary(environment: EnvironmentConfig, source: Names | None = None) -> Document:
    """The policy: what is named after the environment, what has no name of its own, and what is released from afar."""
    afar = () if source is None else registry_source.reads(source)
    return document([*_data(environment), *_work(environment.names), *_everywhere(), *afar])


def _data(environment: EnvironmentConfig) -> Iterator[Statement]:
    names, where = environment.names, _where(environment.names)
    objects = ("AbortMultipartUpload", "GetObject", "ListBucket", "PutObject")
    yield allow("s3", objects, [f"arn:aws:s3:::{names.base}-*"])
    if environment.other_buckets:
        yield allow("s3", ("GetObject",), [f"arn:aws:s3:::{bucket}/*" for bucket in environment.other_buckets])
    tagged = {"StringEquals": {"aws:ResourceTag/environment": names.environment}}
    yield allow("kms", ENCRYPT, [f"arn:aws:kms:{where}:key/*"]) | {"Condition": tagged}
    yield allow("dynamodb", ("GetItem", "PutItem"), [f"arn:aws:dynamodb:{where}:table/{names.base}-*"])
    yield allow("sqs", ("SendMessage",), [f"arn:aws:sqs:{where}:{names.base}-*"])
    yield allow("sns", ("Publish",), [f"arn:aws:sns:{where}:{names.base}-*"])


def _work(names: Names) -> Iterator[Statement]:
    where = _where(names)
    yield allow("sagemaker", RUN, [f"arn:aws:sagemaker:{where}:*"])
    yield allow("logs", WRITE_LOGS, [f"arn:aws:logs:{where}:log-group:*"])
    yield allow("events", ("PutEvents",), [f"arn:aws:events:{where}:event-bus/default"])
    yield allow("lambda", ("InvokeFunction",), [f"arn:aws:lambda:{where}:function:{names.base}-*"])
    yield allow("scheduler", ("CreateSchedule",), [f"arn:aws:scheduler:{where}:schedule/default/{names.base}-*"])
    passed = {"StringEquals": {"iam:PassedToService": [f"{one}.amazonaws.com" for one in PASSED_TO]}}
    yield allow("iam", ("PassRole",), [f"arn:aws:iam::{names.account}:role/{names.base}-*"]) | {"Condition": passed}
    yield allow("ec2", INTERFACES, [f"arn:aws:ec2:{where}:*/*"])


def _everywhere() -> Iterator[Statement]:
    """Containers of an owner's own may come from anywhere; the rest has no resources in AWS's policies."""
    yield allow("ecr", (*PULL, "GetAuthorizationToken"), ["*"])
    yield allow("cloudwatch", ("GetMetricData", "PutMetricData"), ["*"])
    yield allow("ec2", ("Describe*",), ["*"])


def set_boundary(iam: Any, environment: EnvironmentConfig, source: Names | None) -> str:  # noqa: ANN401 - a boto3 client
    """Make the policy, or set it to what it must be; what was done."""
    name, arn = environment.names.boundary, environment.names.boundary_arn
    text = json.dumps(boundary(environment, source))
    try:
        iam.create_policy(PolicyName=name, PolicyDocument=text)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
        _set_version(iam, arn, text)
        return f"permissions boundary {name}: was there, and is set"
    return f"permissions boundary {name}: made"


def _set_version(iam: Any, arn: str, text: str) -> None:  # noqa: ANN401 - as above
    """A new version only for a new text: AWS keeps five, and none is written over."""
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    (current,) = [one["VersionId"] for one in versions if one["IsDefaultVersion"]]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"]
    if found == json.loads(text):
        return
    if len(versions) == MOST_VERSIONS:
        oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)


def _where(names: Names) -> str:
    return f"{names.region}:{names.account}"
