"""Alarms on what a monitoring job publishes once a window: on what it has found, and on its silence."""

from infra.constructs.alarm import Alarm, Comparison
from infra.constructs.alerts import Alerts
from infra.constructs.metrics import Metric, monitoring_metric
from infra.provider import Construct

DAY_SECONDS = 86_400
PERIOD_SECONDS = {"hourly": 3_600, "daily": DAY_SECONDS, "weekly": DAY_SECONDS, "monthly": DAY_SECONDS}
"""A monitor's alarm looks at periods as long as its schedule, but CloudWatch knows none longer than a day."""
SILENCE_CAN_BE_SEEN = ("hourly", "daily")
"""CloudWatch looks back a week at most: a weekly or monthly monitor's silence is beyond it."""


def window_alarm(
    scope: Construct,
    id_: str,
    *,
    name: str,
    metric: Metric,
    comparison: Comparison,
    threshold: float,
    schedule: str,
    description: str,
    runbook: str,
    alerts: Alerts,
) -> Alarm:
    """An alarm that one window raises; a period without data re-arms it, so that each window speaks."""
    return Alarm(
        scope,
        id_,
        name=name,
        metric=metric,
        comparison=comparison,
        threshold=threshold,
        period_seconds=PERIOD_SECONDS[schedule],
        periods=1,
        datapoints=1,
        missing_data="missing",
        description=description,
        severity="warning",
        runbook=runbook,
        alerts=alerts,
    )


def silence_alarms(
    scope: Construct, *, job: str, schedule: str, metric: str, endpoint: str, alerts: Alerts, runbook: str
) -> list[Alarm]:
    """The alarm `<endpoint>-<job>-silence`, where the schedule allows one: saying nothing is a fault of its own.

    `metric` is what every window publishes by endpoint, zero too.
    """
    if schedule not in SILENCE_CAN_BE_SEEN:
        return []
    return [
        Alarm(
            scope,
            "silence",
            name=f"{endpoint}-{job}-silence",
            metric=monitoring_metric(metric, endpoint, "SampleCount"),
            comparison="below",
            threshold=1,
            period_seconds=PERIOD_SECONDS[schedule],
            periods=2,
            datapoints=2,
            missing_data="breaching",
            description=f"{endpoint}: the {job} job has published nothing for two of its periods.",
            severity="warning",
            runbook=runbook,
            alerts=alerts,
        )
    ]
