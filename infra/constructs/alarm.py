"""An alarm that cannot be made without saying what it means, what silence means, how bad it is and what to do."""

from typing import Literal

from infra.constructs.alerts import Alerts
from infra.constructs.metrics import Metric
from infra.provider import Construct, aws

Comparison = Literal["above", "at least", "below"]
Severity = Literal["critical", "warning"]
MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]


class Alarm(Construct):
    """A CloudWatch alarm on one metric that tells the environment's topic when it is raised and when it clears."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        metric: Metric,
        comparison: Comparison,
        threshold: float,
        period_seconds: int,
        periods: int,
        datapoints: int,
        missing_data: MissingData,
        description: str,
        severity: Severity,
        runbook: str,
        alerts: Alerts,
    ) -> None:
        super().__init__(scope, id_)
        self.name, self.severity, self.metric = name, severity, metric
        self.comparison, self.threshold = comparison, threshold
        self.alarm = aws.CloudwatchMetricAlarm(
            self,
            "alarm",
            alarm_name=name,
            alarm_description=f"[{severity}] {description} Runbook: docs/runbooks/{runbook}.md",
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dict(metric.dimensions),
            statistic=None if metric.is_percentile else metric.statistic,
            extended_statistic=metric.statistic if metric.is_percentile else None,
            comparison_operator=_OPERATORS[comparison],
            threshold=threshold,
            period=period_seconds,
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints,
            treat_missing_data=missing_data,
            alarm_actions=[alerts.arn],
            ok_actions=[alerts.arn],
        )


_OPERATORS = {
    "above": "GreaterThanThreshold",
    "at least": "GreaterThanOrEqualToThreshold",
    "below": "LessThanThreshold",
}
