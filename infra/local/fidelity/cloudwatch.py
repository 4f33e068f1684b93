"""CloudWatch's composite alarms, kept by moto beside the others; alarms by all that is asked; dashboards with dates."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm, Dashboard
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.local.cloud import LocalCloud
from infra.local.validation import UnsupportedOperation

DEFAULT_PAGE: Final = 50


def install(cloud: LocalCloud) -> None:
    """Add the operation that moto lacks, and replace the one that looks at the first of its filters only."""
    CloudWatchResponse.put_composite_alarm = put_composite_alarm
    CloudWatchResponse.describe_alarms = describe_alarms
    init = Dashboard.__init__

    def dated(dashboard: Dashboard, *args: str, **kwargs: str) -> None:
        init(dashboard, *args, **kwargs)
        dashboard.last_modified = cloud.clock.now()

    Dashboard.__init__ = dated


def describe_alarms(response: CloudWatchResponse) -> ActionResult:
    """The alarms that pass every filter of the request, a page of them; metric alarms alone unless it asks for others.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    asked = response.params
    for relation in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        if relation in asked:
            raise UnsupportedOperation(f"DescribeAlarms with {relation}")
    if asked.get("AlarmNames") and asked.get("AlarmNamePrefix"):
        raise ValidationError("AlarmNames and AlarmNamePrefix must not be given together")
    found = sorted(filter(_asked_for(asked), response.cloudwatch_backend.alarms.values()), key=_kind_and_name)
    start, size = int(asked.get("NextToken") or 0), int(asked.get("MaxRecords") or DEFAULT_PAGE)
    page = found[start : start + size]
    return ActionResult(
        {
            "MetricAlarms": [alarm for alarm in page if alarm.rule is None],
            "CompositeAlarms": [alarm for alarm in page if alarm.rule is not None],
            "NextToken": str(start + size) if len(found) > start + size else None,
        }
    )


def _asked_for(asked: Mapping[str, Any]) -> Callable[[Alarm], bool]:
    names, types = asked.get("AlarmNames"), asked.get("AlarmTypes") or ["MetricAlarm"]
    prefix, action, state = (asked.get(key) for key in ("AlarmNamePrefix", "ActionPrefix", "StateValue"))

    def passes(alarm: Alarm) -> bool:
        return (
            ("MetricAlarm" if alarm.rule is None else "CompositeAlarm") in types
            and (not names or alarm.name in names)
            and alarm.name.startswith(prefix or "")
            and (not action or any(arn.startswith(action) for arn in alarm.alarm_actions))
            and state in {None, alarm.state_value}
        )

    return passes


def _kind_and_name(alarm: Alarm) -> tuple[bool, str]:
    return alarm.rule is not None, alarm.name


def put_composite_alarm(response: CloudWatchResponse) -> ActionResult:
    """Keep a composite alarm as moto keeps an alarm: one with a rule in place of a metric."""
    request = response.params
    response.cloudwatch_backend.put_metric_alarm(
        name=request["AlarmName"],
        rule=request["AlarmRule"],
        description=request.get("AlarmDescription"),
        actions_enabled=request.get("ActionsEnabled", True),
        alarm_actions=request.get("AlarmActions", []),
        ok_actions=request.get("OKActions", []),
        insufficient_data_actions=request.get("InsufficientDataActions", []),
        tags=request.get("Tags", []),
        dimensions=[],
        **dict.fromkeys(
            (
                "namespace",
                "metric_name",
                "comparison_operator",
                "evaluation_periods",
                "period",
                "threshold",
                "statistic",
            )
        ),
    )
    return EmptyResult()
