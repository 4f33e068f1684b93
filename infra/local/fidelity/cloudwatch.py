"""CloudWatch's composite alarms, kept by moto beside the others; and dashboards that know the cloud's time."""

from moto.cloudwatch.models import Dashboard
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.local.cloud import LocalCloud


def install(cloud: LocalCloud) -> None:
    """Add the operation that moto lacks."""
    CloudWatchResponse.put_composite_alarm = put_composite_alarm
    init = Dashboard.__init__

    def dated(dashboard: Dashboard, *args: str, **kwargs: str) -> None:
        init(dashboard, *args, **kwargs)
        dashboard.last_modified = cloud.clock.now()

    Dashboard.__init__ = dated


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
