"""What a rule or a schedule can start: each kind of target is called through its own API."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from infra.local.cloud import Event, LocalCloud
from infra.local.events.caller import Caller
from infra.local.events.delivery import queue_url
from infra.local.events.target_input import path_value


class UnsupportedTargetError(ValueError):
    """The local cloud has no way to call this target."""


@dataclass(frozen=True)
class Call:
    """One call of one target.

    Attributes:
        target: The target as the API takes it: `Arn` and what its kind needs.
        payload: The text that it receives.
        caller: In whose name it is called.
        event: What a pipeline's parameters may take their values from, by JSON path.
    """

    caller: Caller
    target: Mapping[str, Any]
    payload: str
    event: Event | None = None

    @property
    def arn(self) -> str:
        """The target's ARN."""
        return str(self.target["Arn"])

    @property
    def cloud(self) -> LocalCloud:
        """The cloud that the target is in."""
        return self.caller.cloud

    def client(self, service: str, action: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A client that may do this to the target.

        Raises:
            AccessDeniedError: it may not.
        """
        return self.caller.client(service, action, self.arn)

    def make(self) -> None:
        """Call the target.

        Raises:
            UnsupportedTargetError: it is of a kind that the local cloud cannot call.
            ClientError: the target refused, or the role may not.
            AccessDeniedError: the target's policy does not allow it, or the role's does not trust the service.
        """
        service, resource = self.arn.split(":", 5)[2], self.arn.split(":", 5)[5]
        if service == "scheduler" and resource.startswith("aws-sdk:"):
            _any_operation(self)
        elif service in _CALLS:
            _CALLS[service](self, resource)
        else:
            raise UnsupportedTargetError(f"the local cloud cannot call {self.arn}; it can call {', '.join(_CALLS)}")


def _lambda(call: Call, _resource: str) -> None:
    client = call.client("lambda", "lambda:InvokeFunction")
    client.invoke(FunctionName=call.arn, InvocationType="Event", Payload=call.payload.encode())


def _pipeline(call: Call, resource: str) -> None:
    kind, _, name = resource.partition("/")
    if kind != "pipeline":
        raise UnsupportedTargetError(f"{call.arn} is not a pipeline, SageMaker's only kind of target")
    given = (call.target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList", [])
    parameters = [{"Name": item["Name"], "Value": _parameter(item["Value"], call.event)} for item in given]
    client = call.client("sagemaker", "sagemaker:StartPipelineExecution")
    client.start_pipeline_execution(PipelineName=name, PipelineParameters=parameters)


def _parameter(value: str, event: Event | None) -> str:
    if event is None or not value.startswith("$."):
        return value
    found = path_value(value, event)
    return found if isinstance(found, str) else json.dumps(found)


def _topic(call: Call, _resource: str) -> None:
    call.client("sns", "sns:Publish").publish(TopicArn=call.arn, Message=call.payload)


def _queue(call: Call, _resource: str) -> None:
    group = (call.target.get("SqsParameters") or {}).get("MessageGroupId")
    more = {"MessageGroupId": group, "MessageDeduplicationId": str(uuid.uuid4())} if group else {}
    client = call.client("sqs", "sqs:SendMessage")
    client.send_message(QueueUrl=queue_url(call.cloud, call.arn), MessageBody=call.payload, **more)


def _log_group(call: Call, resource: str) -> None:
    group, stream = resource.removeprefix("log-group:").removesuffix(":*"), str(uuid.uuid4())
    logs = call.cloud.client("logs")  # whose policies are of the whole account, and set when it is bootstrapped
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    timestamp = int(call.cloud.clock.now().timestamp() * 1000)
    entry = {"timestamp": timestamp, "message": call.payload}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[entry])


def _event_bus(call: Call, resource: str) -> None:
    given = call.target.get("EventBridgeParameters")
    if given:
        entry = {"Source": given["Source"], "DetailType": given["DetailType"], "Detail": call.payload}
    elif call.event:
        entry = {
            "Source": call.event["source"],
            "DetailType": call.event["detail-type"],
            "Detail": json.dumps(call.event["detail"]),
            "Resources": call.event["resources"],
        }
    else:
        raise ValueError(f"a schedule that puts events on {call.arn} needs EventBridgeParameters")
    bus = resource.removeprefix("event-bus/")
    answer = call.client("events", "events:PutEvents").put_events(Entries=[entry | {"EventBusName": bus}])
    if answer["FailedEntryCount"]:
        raise ValueError(f"{call.arn} did not take the event: {answer['Entries'][0]['ErrorMessage']}")


def _any_operation(call: Call) -> None:
    """EventBridge Scheduler's universal target, `arn:aws:scheduler:::aws-sdk:<service>:<operation>`."""
    service, operation = call.arn.rsplit(":", 2)[1:]
    if call.caller.role_arn is None:
        raise UnsupportedTargetError(f"{call.arn} needs a RoleArn: it can be called in the name of a role only")
    client = call.cloud.client(service, call.caller.session(call.caller.role_arn))
    name = xform_name(operation)
    if name not in client.meta.method_to_api_mapping:
        raise UnsupportedTargetError(f"{service} has no operation {operation}")
    parameters = json.loads(call.payload)
    if not isinstance(parameters, dict):
        raise ValueError(f"the Input of {call.arn} must be a JSON object")  # noqa: TRY004 - it is the user's text
    getattr(client, name)(**parameters)


_CALLS: dict[str, Callable[[Call, str], None]] = {
    "lambda": _lambda,
    "sagemaker": _pipeline,
    "sns": _topic,
    "sqs": _queue,
    "logs": _log_group,
    "events": _event_bus,
}
