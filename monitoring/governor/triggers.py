"""What an EventBridge event asks the governor for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from monitoring.contract import DATA_SETTLED, EVENT_SOURCE, RETRAINING_REQUESTED
from monitoring.governor.rules import Trigger
from monitoring.governor.spec import Spec

Detail = Mapping[str, Any]
PACKAGE_CHANGED: Final = "SageMaker Model Package State Change"


class UnknownEventError(ValueError):
    """An event of a kind or shape that the governor does not know; it would be the same at another try."""


def trigger_of(event: Mapping[str, Any], spec: Spec) -> Trigger | None:
    """What an event asks for; None if it is none of its business (an alarm that cleared, another model's key).

    Raises:
        UnknownEventError: no rule should send such an event here.
    """
    try:
        kind = (event["source"], event["detail-type"])
        read = _KINDS.get(kind)
        if read is None:
            raise UnknownEventError(f"the governor knows no event {kind[1]!r} from {kind[0]!r}")
        return read(event["detail"], spec)
    except (KeyError, TypeError, AttributeError) as error:
        what = event.get("detail-type", "an event") if isinstance(event, Mapping) else "an event"
        raise UnknownEventError(f"{what!r} is not as AWS sends it: {type(error).__name__}: {error}") from None


def package_of(event: Mapping[str, Any]) -> str | None:
    """The ARN of the model package that an event tells of; None if it tells of something else.

    Raises:
        UnknownEventError: it is not as AWS sends it.
    """
    if event.get("detail-type") != PACKAGE_CHANGED:
        return None
    arn = event["detail"].get("ModelPackageArn") if isinstance(event.get("detail"), Mapping) else None
    if not isinstance(arn, str):
        raise UnknownEventError(f"{PACKAGE_CHANGED!r} is not as AWS sends it: no ModelPackageArn")
    return arn


def _new_data(detail: Detail, spec: Spec) -> Trigger | None:
    bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    ours = bucket == spec.data_bucket and key.startswith(spec.data_prefix)
    return Trigger("new-data", f"new data {key}") if ours else None


def _settled(detail: Detail, _spec: Spec) -> Trigger:
    return Trigger("new-data", str(detail["what"]), settled=True)


def _alarm(detail: Detail, spec: Spec) -> Trigger | None:
    name, state = detail["alarmName"], detail["state"]["value"]
    kind = next((watch.kind for watch in spec.watches for alarm in watch.alarms if alarm.name == name), None)
    return Trigger(kind, f"alarm {name}") if kind and state == "ALARM" else None


def _window(detail: Detail, spec: Spec) -> Trigger | None:
    """A monitoring job has ended: while a breach lasts its alarm tells nothing new, but each window asks again."""
    kind = next((watch.kind for watch in spec.watches if watch.job_role == detail["RoleArn"]), None)
    if kind is None or detail["ProcessingJobStatus"] != "Completed":
        return None
    return Trigger(kind, f"window of {detail['ProcessingJobName']}", routine=True)


def _request(detail: Detail, spec: Spec) -> Trigger | None:
    if detail["model"] != spec.model:
        return None
    by = f" by {detail['by']}" if detail.get("by") else ""
    return Trigger("person", f"asked for{by}: {detail.get('reason') or 'no reason given'}")


def _schedule(_detail: Detail, _spec: Spec) -> Trigger:
    return Trigger("schedule", "the schedule")


_KINDS: Final[Mapping[tuple[str, str], Callable[[Detail, Spec], Trigger | None]]] = {
    ("aws.s3", "Object Created"): _new_data,
    ("aws.cloudwatch", "CloudWatch Alarm State Change"): _alarm,
    ("aws.sagemaker", "SageMaker Processing Job State Change"): _window,
    (EVENT_SOURCE, RETRAINING_REQUESTED): _request,
    (EVENT_SOURCE, DATA_SETTLED): _settled,
    ("aws.events", "Scheduled Event"): _schedule,
}
