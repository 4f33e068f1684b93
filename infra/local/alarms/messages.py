"""What an alarm tells when its state changes, in AWS's form: the EventBridge event and the SNS message.

Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import create_loader

from infra.local.alarms.query import SIMPLE_ID, Query
from infra.local.alarms.reason import stamp

EVENT = "CloudWatch Alarm State Change"


@dataclass(frozen=True)
class Snapshot:
    """An alarm's state at a time, and why."""

    value: str
    reason: str
    reason_data: str
    updated: datetime

    @classmethod
    def of(cls, alarm: Any) -> "Snapshot":  # noqa: ANN401 - moto's Alarm
        """The state of one of moto's alarms; moto's times have no zone."""
        updated = alarm.state_updated_timestamp.replace(tzinfo=UTC)
        return cls(alarm.state_value, alarm.state_reason, alarm.state_reason_data, updated)

    def as_detail(self) -> dict[str, str]:
        """As events show it."""
        data = {"reasonData": self.reason_data} if self.reason_data and self.reason_data != "{}" else {}
        return {"value": self.value, "reason": self.reason, "timestamp": stamp(self.updated)} | data


def event_detail(alarm: Any, query: Query | None, now: Snapshot, before: Snapshot) -> dict[str, Any]:  # noqa: ANN401
    """The detail of `CloudWatch Alarm State Change`; `query` is None for a composite alarm."""
    configuration: dict[str, Any] = {"description": alarm.description} if alarm.description else {}
    if query is None:
        configuration |= {"alarmRule": alarm.rule}
    else:
        configuration |= {"metrics": [_event_metric(query, id_) for id_ in (*query.stats, *query.expressions)]}
    return {
        "alarmName": alarm.name,
        "state": now.as_detail(),
        "previousState": before.as_detail(),
        "configuration": configuration,
    }


def _event_metric(query: Query, id_: str) -> dict[str, Any]:
    returns = {"id": id_, "returnData": id_ == query.returned}
    if id_ in query.expressions:
        return returns | {"expression": query.expressions[id_].text}
    stat = query.stats[id_]
    namespace, name, dimensions = stat.series
    metric = {"namespace": namespace, "name": name, "dimensions": dict(sorted(dimensions))}
    return returns | {"metricStat": {"metric": metric, "period": query.period_seconds, "stat": stat.statistic}}


def sns_message(
    alarm: Any,  # noqa: ANN401 - moto's Alarm
    query: Query | None,
    now: Snapshot,
    before: Snapshot,
    *,
    account: str,
) -> tuple[str, str]:
    """The subject and the body of the message to a topic."""
    region = region_description(alarm.region_name)
    body = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": now.value,
        "NewStateReason": now.reason,
        "StateChangeTime": stamp(now.updated),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.value,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
    }
    body |= {"AlarmRule": alarm.rule} if query is None else {"Trigger": _trigger(alarm, query)}
    subject = f'{now.value}: "{alarm.name}" in {region}'
    return subject[:100], json.dumps(body)


def _trigger(alarm: Any, query: Query) -> dict[str, Any]:  # noqa: ANN401 - moto's Alarm
    shared = {
        "Period": query.period_seconds,
        "EvaluationPeriods": int(alarm.evaluation_periods),
        "DatapointsToAlarm": int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": float(alarm.threshold),
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
    }
    if list(query.stats) != [SIMPLE_ID] or query.expressions or alarm.metric_data_queries:
        return shared | {"Metrics": [_sns_metric(query, id_) for id_ in (*query.expressions, *query.stats)]}
    stat = query.stats[SIMPLE_ID]
    namespace, name, dimensions = stat.series
    kind = "ExtendedStatistic" if stat.statistic.startswith("p") else "Statistic"
    return shared | {
        "MetricName": name,
        "Namespace": namespace,
        "StatisticType": kind,
        kind: stat.statistic
        if kind == "ExtendedStatistic"
        else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stat.statistic).upper(),
        "Unit": stat.unit,
        "Dimensions": [{"name": key, "value": value} for key, value in sorted(dimensions)],
    }


def _sns_metric(query: Query, id_: str) -> dict[str, Any]:
    returns = {"Id": id_, "ReturnData": id_ == query.returned}
    if id_ in query.expressions:
        return returns | {"Expression": query.expressions[id_].text}
    stat = query.stats[id_]
    namespace, name, dimensions = stat.series
    listed = [{"name": key, "value": value} for key, value in sorted(dimensions)]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": listed}
    return returns | {"MetricStat": {"Metric": metric, "Period": query.period_seconds, "Stat": stat.statistic}}


@cache
def region_description(region: str) -> str:
    """A region's name for people, such as "US East (N. Virginia)"."""
    partitions = create_loader().load_data("endpoints")["partitions"]
    found = [p["regions"][region]["description"] for p in partitions if region in p["regions"]]
    return str(found[0]) if found else region
