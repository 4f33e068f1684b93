"""Rollback alarms that are raised before a deploy begins: SageMaker would take its update back, whatever it brings."""

from datetime import UTC

from infra.config import EnvironmentConfig
from infra.release.intended import Intended
from infra.session import client


def raised_alarms(environment: EnvironmentConfig, intended: Intended, live: str) -> list[str]:
    """The alarms that would take the update back at once, each with the moment since when; none where none is due.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html

    Args:
        environment: where to look.
        intended: the endpoint as declared.
        live: the name of the endpoint configuration that is live.
    """
    if live == intended.configuration or not intended.rollback_alarms:
        return []
    answer = client(environment, "cloudwatch").describe_alarms(
        AlarmNames=list(intended.rollback_alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    raised = [one for one in (*answer["MetricAlarms"], *answer["CompositeAlarms"]) if one["StateValue"] == "ALARM"]
    return [f"{one['AlarmName']} (since {one['StateUpdatedTimestamp'].astimezone(UTC):%F %R} UTC)" for one in raised]
