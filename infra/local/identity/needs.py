"""What a call takes: the actions that IAM asks about, each on which resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.identity.api_call import ApiCall
from infra.local.identity.conditions import Context, context
from infra.local.identity.encryption import Keys
from infra.local.identity.resources import named, tagged
from infra.local.identity.s3_needs import S3Needs

ACTIONS: Final = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("sns", "PublishBatch"): "Publish",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
}
"""Actions that are not called as their operations."""
PREFIXES: Final = {"sagemaker-runtime": "sagemaker", "resourcegroupstaggingapi": "tag"}
ROLES: Final = ("RoleArn", "ExecutionRoleArn", "Role", "DeliverLogsPermissionArn")
"""Parameters by which a role is passed to a service."""
PASSED_IN: Final = ("Create", "Update", "Put")
PASSED_TO: Final = {"sagemaker": "sagemaker", "scheduler": "scheduler", "events": "events", "lambda": "lambda"}
ENCRYPTING: Final = {
    ("sqs", "SendMessage"): ("kms:GenerateDataKey", "kms:Decrypt"),
    ("sqs", "ReceiveMessage"): ("kms:Decrypt",),
    ("sns", "Publish"): ("kms:GenerateDataKey", "kms:Decrypt"),
    **dict.fromkeys([("dynamodb", f"{verb}Item") for verb in ("Get", "Put", "Update", "Delete")], ("kms:Decrypt",)),
    **dict.fromkeys([("dynamodb", verb) for verb in ("Query", "Scan")], ("kms:Decrypt",)),
}
"""What a caller needs of the key that what it calls is encrypted with."""


SCHEDULING: Final = ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
"""What whoever makes an encrypted schedule needs of its key.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
"""


@dataclass(frozen=True)
class Need:
    """One action that must be allowed."""

    action: str
    resource: str | None
    """Its ARN; `*` where AWS names none, None if it is not known here."""
    known: Context = field(default_factory=dict)


class Needs:
    """What calls take, in one account and region."""

    def __init__(self, keys: Keys) -> None:
        self._place = keys.place
        self._keys = keys
        self._s3 = S3Needs(keys)

    def of(self, call: ApiCall) -> Iterator[Need]:
        """All that must be allowed, the call's own action first."""
        if call.service == "s3":
            yield from (Need(*need) for need in self._s3.of(call))
            return
        prefix = PREFIXES.get(call.service, call.service)
        action = ACTIONS.get((call.service, call.operation), call.operation)
        resources = named(call, self._place)
        for resource in resources:
            yield Need(f"{prefix}:{action}", resource, _known(call))
        yield from self._of_tags(call, resources)
        for role in _passed(call):
            service = PASSED_TO.get(call.service, call.service)
            yield Need("iam:PassRole", role, context(**{"iam:PassedToService": f"{service}.amazonaws.com"}))
        if key := call.service == "scheduler" and self._keys.named(call.parameters.get("KmsKeyArn")):
            yield from (Need(wanted, key) for wanted in SCHEDULING)
        for wanted in ENCRYPTING.get((call.service, action), ()):
            if resources[0] and (key := self._keys.of(resources[0])):
                yield Need(wanted, key, context(**{"kms:ViaService": self._place.via(call.service)}))

    def _of_tags(self, call: ApiCall, resources: list[str | None]) -> Iterator[Need]:
        """SageMaker asks for its own action when something is tagged as it is made."""
        if call.service == "sagemaker" and call.operation.startswith("Create") and call.parameters.get("Tags"):
            yield Need("sagemaker:AddTags", resources[0], tagged(call))


def _known(call: ApiCall) -> Context:
    namespace = call.parameters.get("Namespace")
    more = {"cloudwatch:namespace": (namespace,)} if call.operation == "PutMetricData" and namespace else {}
    return {**tagged(call), **more}


def _passed(call: ApiCall) -> Iterator[str]:
    if call.operation.startswith(PASSED_IN) and call.service != "iam":
        yield from _roles(call.parameters)


def _roles(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a request
    if isinstance(value, list):
        for one in value:
            yield from _roles(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in ROLES and isinstance(one, str) and ":role/" in one:
                yield one
            else:
                yield from _roles(one)
