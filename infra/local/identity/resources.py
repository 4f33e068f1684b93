"""The ARNs that a call speaks of, from its parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.local.identity.api_call import ApiCall
from infra.local.identity.conditions import Context

Json = dict[str, Any]
BY_PARAMETER: Final[dict[str, dict[str, str]]] = {
    "sagemaker": {
        "PipelineExecutionArn": "{}",
        "PipelineName": "pipeline/{}",
        "TrainingJobName": "training-job/{}",
        "ProcessingJobName": "processing-job/{}",
        "TransformJobName": "transform-job/{}",
        "ModelPackageArn": "{}",
        "ModelPackageGroupName": "model-package-group/{}",
        "ModelPackageName": "model-package/{}",
        "EndpointName": "endpoint/{}",
        "EndpointConfigName": "endpoint-config/{}",
        "ModelName": "model/{}",
        "ResourceArn": "{}",
    },
    "sagemaker-runtime": {"EndpointName": "endpoint/{}"},
    "application-autoscaling": {"ResourceARN": "{}"},
    "dynamodb": {"TableName": "table/{}", "ResourceArn": "{}"},
    "ecr": {"repositoryName": "repository/{}", "resourceArn": "{}"},
    "iam": {"RoleName": "role/{}", "PolicyArn": "{}", "OpenIDConnectProviderArn": "{}"},
    "kms": {"KeyId": "key/{}", "TargetKeyId": "key/{}", "AliasName": "{}"},
    "lambda": {"FunctionName": "function:{}", "Resource": "{}"},
    "secretsmanager": {"SecretId": "secret:{}"},
    "sns": {"TopicArn": "{}", "TargetArn": "{}", "ResourceArn": "{}", "Name": "{}"},
    "ssm": {"Name": "parameter/{}"},
    "sts": {"RoleArn": "{}"},
}
"""By service: parameters in the order in which they are looked for, and the last segment of the ARN that each makes."""
WITHOUT_REGION: Final = ("iam", "s3")
NAMES_NONE: Final = frozenset(
    {
        ("ecr", "GetAuthorizationToken"),
        ("cloudwatch", "PutMetricData"),
        ("cloudwatch", "GetMetricData"),
        ("cloudwatch", "GetMetricStatistics"),
        ("cloudwatch", "ListMetrics"),
        ("kms", "CreateKey"),
        ("kms", "ListAliases"),
        ("logs", "DescribeLogGroups"),
        ("sts", "GetCallerIdentity"),
    }
)
"""Operations for which AWS takes no single resource."""


@dataclass(frozen=True)
class Place:
    """Where things are: an account in a region."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN; what is one already stays as it is."""
        if resource.startswith("arn:"):
            return resource
        region = "" if service in WITHOUT_REGION else self.region
        return f"arn:aws:{service}:{region}:{self.account}:{resource}"

    def via(self, service: str) -> str:
        """A service's name in the condition key `kms:ViaService`."""
        return f"{service}.{self.region}.amazonaws.com"


def named(call: ApiCall, place: Place) -> list[str | None]:
    """The resources that a call is about: at least one, which is `*` where AWS names none, and None if not known."""
    if (call.service, call.operation) in NAMES_NONE:
        return ["*"]
    service = call.service.removesuffix("-runtime")
    if read := _READERS.get(service):
        return [place.arn(service, resource) for resource in read(call.parameters)] or [None]
    for parameter, pattern in BY_PARAMETER.get(call.service, {}).items():
        given = call.parameters.get(parameter)
        if isinstance(given, str) and given:
            return [given if given.startswith("arn:") else place.arn(service, pattern.format(given))]
    return [None]


def tagged(call: ApiCall) -> Context:
    """The condition keys of the tags that a call sets."""
    given = call.parameters.get("Tags")
    rows = given if isinstance(given, list) else []
    tags = {one.get("Key", one.get("TagKey")): one.get("Value", one.get("TagValue")) for one in rows}
    known = {f"aws:requesttag/{key}".lower(): (str(value),) for key, value in tags.items()}
    return known | ({"aws:tagkeys": tuple(map(str, tags))} if tags else {})


def _log(given: Json) -> list[str]:
    if "resourceArn" in given:
        return [given["resourceArn"]]
    group = given.get("logGroupName", given.get("logGroupIdentifier"))
    return [f"log-group:{group}:log-stream:{given.get('logStreamName', '')}"] if group else []


def _events(given: Json) -> list[str]:
    if "Entries" in given:
        buses = {entry.get("EventBusName", "default") for entry in given["Entries"]}
        return [bus if bus.startswith("arn:") else f"event-bus/{bus}" for bus in sorted(buses)]
    rule = given.get("Rule", given.get("Name", given.get("ResourceARN")))
    return [rule if rule.startswith("arn:") else f"rule/{rule}"] if rule else []


def _schedule(given: Json) -> list[str]:
    if "ResourceArn" in given:
        return [given["ResourceArn"]]
    return [f"schedule/{given.get('GroupName', 'default')}/{given['Name']}"] if "Name" in given else []


def _queue(given: Json) -> list[str]:
    name = given.get("QueueName", given.get("QueueUrl", "").rsplit("/", 1)[-1])
    return [name] if name else []


def _cloudwatch(given: Json) -> list[str]:
    names = given.get("AlarmNames", [given["AlarmName"]] if "AlarmName" in given else [])
    return [f"alarm:{name}" for name in names] or ([given["ResourceARN"]] if "ResourceARN" in given else [])


_READERS: Final[dict[str, Callable[[Json], list[str]]]] = {
    "logs": _log,
    "events": _events,
    "scheduler": _schedule,
    "sqs": _queue,
    "cloudwatch": _cloudwatch,
}
