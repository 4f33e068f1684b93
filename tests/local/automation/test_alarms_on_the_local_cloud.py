import json
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

PRINT = """
def handler(event, context):
    print("alarm", event["detail"]["alarmName"])
"""
SHARED = {
    "Namespace": "al",
    "Statistic": "Maximum",
    "Period": 3600,
    "EvaluationPeriods": 1,
    "Threshold": 0.25,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


def alarm(automation, name, **more):
    automation.client("cloudwatch").put_metric_alarm(AlarmName=name, **SHARED | {"MetricName": name} | more)
    return f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"


def publish(automation, name, value, **more):
    datum = {"MetricName": name, "Value": value} | more
    automation.client("cloudwatch").put_metric_data(Namespace="al", MetricData=[datum])
    automation.settle()


def described(automation, name):
    answer = automation.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    [found] = answer["MetricAlarms"] + answer["CompositeAlarms"]
    return found


def state(automation, name):
    return described(automation, name)["StateValue"]


def topic_with_inbox(automation, name):
    sns, inbox = automation.client("sns"), automation.queue(name)
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)
    return topic, inbox


def test_a_published_metric_raises_the_alarm_which_tells_its_topic_and_starts_a_function(automation):
    topic, inbox = topic_with_inbox(automation, "al-drift")
    name = alarm(automation, "al-drift", AlarmActions=[topic], OKActions=[topic], AlarmDescription="It drifts.")
    pattern = {"source": ["aws.cloudwatch"], "resources": [name], "detail": {"state": {"value": ["ALARM"]}}}
    automation.rule("al-drift", pattern, automation.function("al-drift", PRINT))
    assert state(automation, "al-drift") == "INSUFFICIENT_DATA"
    publish(automation, "al-drift", 0.3)
    found = described(automation, "al-drift")
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [0.3 (")
    assert "was greater than the threshold (0.25) (minimum 1 datapoint for OK -> ALARM" in found["StateReason"]
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [0.3]
    assert "alarm al-drift" in automation.logged("al-drift")
    [envelope] = automation.bodies(inbox)
    message = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "al-drift" in US East (N. Virginia)'
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert message["Trigger"]["MetricName"] == "al-drift"
    assert message["AlarmDescription"] == "It drifts."
    publish(automation, "al-drift", 0.9)
    assert automation.received(inbox) == []


def test_an_alarm_clears_when_later_data_are_within_the_threshold_and_says_so(automation):
    topic, inbox = topic_with_inbox(automation, "al-clears")
    alarm(automation, "al-clears", OKActions=[topic])
    publish(automation, "al-clears", 0.3)
    automation.advance(seconds=3600)
    publish(automation, "al-clears", 0.1)
    assert state(automation, "al-clears") == "OK"
    [envelope] = automation.bodies(inbox)
    assert json.loads(envelope["Message"])["NewStateValue"] == "OK"


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "ALARM")],
)
def test_when_data_stop_time_alone_moves_the_alarm(automation, treatment, expected):
    name = f"al-silence-{treatment}"
    alarm(automation, name, TreatMissingData=treatment)
    publish(automation, name, 0.3)
    automation.advance(seconds=2 * 3600)
    assert state(automation, name) == "ALARM"
    automation.advance(seconds=3 * 3600)
    assert state(automation, name) == expected


def test_silence_from_the_beginning_is_a_breach_where_the_alarm_says_so(automation):
    alarm(automation, "al-mute", TreatMissingData="breaching")
    automation.advance(seconds=120)
    assert state(automation, "al-mute") == "ALARM"
    assert "no datapoints were received for 1 period" in described(automation, "al-mute")["StateReason"]


def test_two_of_three_data_points_with_old_timestamps_raise_the_alarm(automation):
    alarm(automation, "al-two", EvaluationPeriods=3, DatapointsToAlarm=2)
    now = automation.now().timestamp()
    publish(automation, "al-two", 0.3, Timestamp=now - 2 * 3600)
    assert state(automation, "al-two") != "ALARM"
    publish(automation, "al-two", 0.1, Timestamp=now - 3600)
    publish(automation, "al-two", 0.4, Timestamp=now)
    assert state(automation, "al-two") == "ALARM"


def test_data_from_the_wrong_year_are_refused_instead_of_never_looked_at(automation):
    with pytest.raises(ClientError, match="within the past two weeks"):
        publish(automation, "al-wrong-year", 1.0, Timestamp=datetime(2031, 1, 1, tzinfo=UTC))


def test_a_sum_that_can_only_grow_is_not_called_too_low_before_its_period_ends(automation):
    alarm(automation, "al-low", Statistic="Sum", Threshold=10, ComparisonOperator="LessThanThreshold")
    publish(automation, "al-low", 1.0)
    assert state(automation, "al-low") != "ALARM"
    automation.advance(seconds=3600)
    assert state(automation, "al-low") == "ALARM"


def test_an_error_rate_by_metric_math_raises_the_alarm(automation):
    def metric(id_, name):
        given = {"Namespace": "al", "MetricName": name}
        return {"Id": id_, "ReturnData": False, "MetricStat": {"Metric": given, "Period": 60, "Stat": "Sum"}}

    automation.client("cloudwatch").put_metric_alarm(
        AlarmName="al-rate",
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "rate", "Expression": "100 * FILL(errors, 0) / requests", "ReturnData": True},
            metric("errors", "al-errors"),
            metric("requests", "al-requests"),
        ],
    )
    publish(automation, "al-requests", 100)
    assert state(automation, "al-rate") == "OK"
    publish(automation, "al-errors", 6)
    assert state(automation, "al-rate") == "ALARM"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "cannot compare with GreaterThanUpperThreshold"),
        ({"Period": 45}, "Period must be"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "DatapointsToAlarm must be between"),
        ({"EvaluationPeriods": 2000}, "must not exceed"),
        ({"TreatMissingData": "sometimes"}, "TreatMissingData must be one of"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "does not support EvaluateLowSampleCountPercentile"),
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused_when_it_is_put(automation, change, complaint):
    with pytest.raises(ClientError, match=complaint):
        alarm(automation, "al-refused", **change)
    assert automation.client("cloudwatch").describe_alarms(AlarmNames=["al-refused"])["MetricAlarms"] == []


def test_setting_a_state_runs_the_actions_until_the_next_comparison(automation):
    topic, inbox = topic_with_inbox(automation, "al-set")
    alarm(automation, "al-set", AlarmActions=[topic])
    automation.client("cloudwatch").set_alarm_state(AlarmName="al-set", StateValue="ALARM", StateReason="a drill")
    automation.settle()
    [envelope] = automation.bodies(inbox)
    assert json.loads(envelope["Message"])["NewStateReason"] == "a drill"
    automation.advance(seconds=61)
    assert state(automation, "al-set") == "OK"


def test_disabled_actions_do_not_run(automation):
    topic, inbox = topic_with_inbox(automation, "al-quiet")
    alarm(automation, "al-quiet", AlarmActions=[topic], ActionsEnabled=False)
    publish(automation, "al-quiet", 0.3)
    assert state(automation, "al-quiet") == "ALARM"
    assert automation.received(inbox) == []


def test_putting_an_alarm_again_keeps_its_state(automation):
    alarm(automation, "al-again")
    publish(automation, "al-again", 0.3)
    alarm(automation, "al-again", AlarmDescription="now with a description")
    assert state(automation, "al-again") == "ALARM"


def test_an_alarms_history_tells_what_happened_newest_first(automation):
    topic, _ = topic_with_inbox(automation, "al-history")
    alarm(automation, "al-history", AlarmActions=[topic])
    publish(automation, "al-history", 0.3)
    items = automation.client("cloudwatch").describe_alarm_history(AlarmName="al-history")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in items] == ["Action", "StateUpdate", "ConfigurationUpdate"]
    assert items[0]["HistorySummary"] == f"Successfully executed action {topic}"
    assert items[1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"


def test_a_composite_alarm_follows_its_children(automation):
    topic, inbox = topic_with_inbox(automation, "al-composite")
    for name in ("al-child-1", "al-child-2"):
        alarm(automation, name)
    rule = 'ALARM("al-child-1") AND NOT ALARM(al-child-2)'
    cloudwatch = automation.client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="al-composite", AlarmRule=rule, AlarmActions=[topic])
    publish(automation, "al-child-1", 0.3)
    assert state(automation, "al-composite") == "ALARM"
    [envelope] = automation.bodies(inbox)
    assert json.loads(envelope["Message"])["AlarmRule"] == rule
    publish(automation, "al-child-2", 0.3)
    assert state(automation, "al-composite") == "OK"
    with pytest.raises(ClientError, match="do not exist: al-nobody"):
        cloudwatch.put_composite_alarm(AlarmName="al-typo", AlarmRule="ALARM(al-nobody)")


def test_a_month_passes_quickly_over_idle_alarms(automation):
    for number in range(10):
        alarm(automation, f"al-idle-{number}", Period=60, EvaluationPeriods=3)
    began = time.monotonic()
    automation.advance(seconds=30 * 86_400)
    assert time.monotonic() - began < 1
    assert state(automation, "al-idle-0") == "OK"


def test_alarms_are_listed_by_all_that_is_asked_at_once_and_in_pages(automation):
    cloudwatch, names = automation.client("cloudwatch"), [f"al-listed-{number}" for number in range(3)]
    for name, value in zip(names, ("ALARM", "OK", "ALARM"), strict=True):
        alarm(automation, name)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="a test")
    cloudwatch.put_composite_alarm(AlarmName="al-listed-all", AlarmRule=f"ALARM({names[0]})")

    def listed(**asked):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(**asked)
        return [
            one["AlarmName"] for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for one in page[kind]
        ]

    assert listed(AlarmNames=names[:2], StateValue="ALARM") == names[:1]
    assert listed(AlarmNamePrefix="al-listed-", StateValue="ALARM") == [names[0], names[2]]
    assert listed(AlarmNamePrefix="al-listed-", StateValue="INSUFFICIENT_DATA") == []
    assert listed(AlarmNamePrefix="al-listed-", ActionPrefix="arn:aws:sns") == []
    kinds = ["CompositeAlarm", "MetricAlarm"]
    assert listed(AlarmNamePrefix="al-listed-", AlarmTypes=kinds) == [*names, "al-listed-all"]
    assert listed(AlarmNamePrefix="al-listed-", AlarmTypes=kinds[:1]) == ["al-listed-all"]
    assert listed(AlarmNamePrefix="al-listed-", PaginationConfig={"PageSize": 1}) == names
    with pytest.raises(ClientError, match="must not be given together"):
        listed(AlarmNames=names, AlarmNamePrefix="al-")
    with pytest.raises(ClientError, match="does not support DescribeAlarms with ParentsOfAlarmName"):
        listed(ParentsOfAlarmName=names[0])
