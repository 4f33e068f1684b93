import json

import pytest
from botocore.exceptions import ClientError

PRINT = """
import json
def handler(event, context):
    print("received", json.dumps(event))
"""
FAIL = """
def handler(event, context):
    raise RuntimeError("no luck")
"""


def uploads(bucket, prefix=""):
    detail = {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": prefix}]}}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def bucket_with_events(automation, name):
    s3 = automation.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    return s3


def test_an_uploaded_object_starts_a_function_through_a_rule(automation):
    s3 = bucket_with_events(automation, "ev-uploads")
    automation.rule("ev-uploads", uploads("ev-uploads", "new/"), automation.function("ev-print", PRINT))
    s3.put_object(Bucket="ev-uploads", Key="new/2013-04.parquet", Body=b"abc")
    s3.put_object(Bucket="ev-uploads", Key="other/2013-04.parquet", Body=b"abc")
    automation.settle()
    [line] = [line for line in automation.logged("ev-print") if line.startswith("received ")]
    event = json.loads(line.removeprefix("received "))
    assert event["resources"] == ["arn:aws:s3:::ev-uploads"]
    assert event["detail"]["reason"] == "PutObject"
    described = {key: event["detail"]["object"][key] for key in ("key", "size", "etag")}
    assert described == {"key": "new/2013-04.parquet", "size": 3, "etag": "900150983cd24fb0d6963f7d28e17f72"}


def test_every_way_of_writing_and_deleting_an_object_is_an_event(automation):
    s3, queue = bucket_with_events(automation, "ev-ways"), automation.queue("ev-ways")
    automation.rule("ev-ways", {"source": ["aws.s3"], "resources": ["arn:aws:s3:::ev-ways"]}, queue)
    s3.put_object(Bucket="ev-ways", Key="a", Body=b"1")
    s3.copy_object(Bucket="ev-ways", Key="b", CopySource="ev-ways/a")
    upload = s3.create_multipart_upload(Bucket="ev-ways", Key="c")["UploadId"]
    part = s3.upload_part(Bucket="ev-ways", Key="c", PartNumber=1, UploadId=upload, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="ev-ways", Key="c", UploadId=upload, MultipartUpload=parts)
    s3.delete_object(Bucket="ev-ways", Key="a")
    automation.settle()
    events = [(e["detail-type"], e["detail"]["object"]["key"], e["detail"]["reason"]) for e in automation.bodies(queue)]
    assert sorted(events) == [
        ("Object Created", "a", "PutObject"),
        ("Object Created", "b", "CopyObject"),
        ("Object Created", "c", "CompleteMultipartUpload"),
        ("Object Deleted", "a", "DeleteObject"),
    ]


def test_a_bucket_without_eventbridge_sends_no_events(automation):
    s3, queue = automation.client("s3"), automation.queue("ev-silent")
    s3.create_bucket(Bucket="ev-silent")
    automation.rule("ev-silent", uploads("ev-silent"), queue)
    s3.put_object(Bucket="ev-silent", Key="a", Body=b"1")
    automation.settle()
    assert automation.received(queue) == []


def put(automation, **detail):
    entry = {"Source": "sagestack", "DetailType": "Retraining Requested", "Detail": json.dumps(detail)}
    assert automation.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    automation.settle()


def test_a_persons_event_reaches_only_the_rules_that_match_and_are_enabled(automation):
    queues = {name: automation.queue(f"ev-{name}") for name in ("match", "other", "disabled")}
    automation.rule("ev-match", {"source": ["sagestack"], "detail": {"model": ["a"]}}, queues["match"])
    automation.rule("ev-other", {"source": ["sagestack"], "detail": {"model": ["b"]}}, queues["other"])
    pattern = {"source": ["sagestack"], "detail": {"model": ["a"]}}
    automation.rule("ev-disabled", pattern, queues["disabled"], State="DISABLED")
    put(automation, model="a")
    assert [event["detail"] for event in automation.bodies(queues["match"])] == [{"model": "a"}]
    assert automation.received(queues["other"]) == []
    assert automation.received(queues["disabled"]) == []
    automation.client("events").enable_rule(Name="ev-disabled")
    automation.client("events").disable_rule(Name="ev-match")
    put(automation, model="a")
    assert automation.received(queues["match"]) == []
    assert len(automation.received(queues["disabled"])) == 1


def test_targets_of_every_kind_receive_the_event(automation):
    logs, sns = automation.client("logs"), automation.client("sns")
    logs.create_log_group(logGroupName="/ev/kinds")
    topic = automation.topic("ev-kinds")
    inbox = automation.queue("ev-kinds-inbox")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox, Attributes={"RawMessageDelivery": "true"})
    bus = automation.client("events").create_event_bus(Name="ev-kinds")["EventBusArn"]
    far = automation.queue("ev-kinds-far")
    automation.client("events").put_rule(
        Name="ev-far", EventBusName="ev-kinds", EventPattern=json.dumps({"source": ["sagestack"]})
    )
    automation.client("events").put_targets(Rule="ev-far", EventBusName="ev-kinds", Targets=[{"Id": "1", "Arn": far}])
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/ev/kinds"
    automation.rule(
        "ev-kinds",
        {"detail": {"model": ["kinds"]}},
        topic,
        group,
        {"Arn": bus, "RoleArn": "arn:aws:iam::123456789012:role/automation"},
    )
    put(automation, model="kinds")
    streams = logs.describe_log_streams(logGroupName="/ev/kinds")["logStreams"]
    [logged] = logs.get_log_events(logGroupName="/ev/kinds", logStreamName=streams[0]["logStreamName"])["events"]
    [published], [forwarded] = automation.bodies(inbox), automation.bodies(far)
    assert json.loads(logged["message"])["detail"] == {"model": "kinds"}
    assert published["detail"] == {"model": "kinds"}
    assert (forwarded["detail"], forwarded["source"]) == ({"model": "kinds"}, "sagestack")


def test_what_cannot_be_delivered_ends_in_the_dead_letter_queue_with_the_reason(automation):
    dead = automation.queue("ev-dead")
    gone = "arn:aws:lambda:us-east-1:123456789012:function:ev-gone"
    strange = "arn:aws:states:us-east-1:123456789012:stateMachine:ev-strange"
    targets = [{"Arn": arn, "DeadLetterConfig": {"Arn": dead}} for arn in (gone, strange)]
    automation.rule("ev-dead", {"detail": {"model": ["dead"]}}, *targets)
    put(automation, model="dead")
    found = {attributes["TARGET_ARN"]: (json.loads(body), attributes) for body, attributes in automation.received(dead)}
    event, attributes = found[gone]
    assert event["detail"] == {"model": "dead"}
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"
    assert attributes["RULE_ARN"].endswith(":rule/ev-dead")
    assert "cannot call arn:aws:states" in found[strange][1]["ERROR_MESSAGE"]


def test_a_function_that_keeps_failing_is_tried_three_times_and_ends_in_its_dead_letter_queue(automation):
    dead = automation.queue("ev-failing-dead")
    function = automation.function("ev-failing", FAIL)
    automation.client("lambda").put_function_event_invoke_config(
        FunctionName="ev-failing", DestinationConfig={"OnFailure": {"Destination": dead}}
    )
    automation.rule("ev-failing", {"detail": {"model": ["failing"]}}, function)
    put(automation, model="failing")
    assert automation.received(dead) == []
    automation.advance(seconds=200)
    [record] = automation.bodies(dead)
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "no luck"
    assert record["requestPayload"]["detail"] == {"model": "failing"}
    assert record["requestContext"]["functionArn"].startswith(function)
    assert sum(line.startswith("START ") for line in automation.logged("ev-failing")) == 3


def test_an_event_that_lambda_gave_up_raises_the_alarm_on_it_and_a_mere_failure_does_not(automation):
    cloudwatch = automation.client("cloudwatch")
    function = automation.function("ev-dropped", FAIL)
    cloudwatch.put_metric_alarm(
        AlarmName="ev-dropped",
        Namespace="AWS/Lambda",
        MetricName="AsyncEventsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": "ev-dropped"}],
        Statistic="Sum",
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        Period=3600,
        EvaluationPeriods=24,
        DatapointsToAlarm=1,
        TreatMissingData="notBreaching",
    )

    def state():
        return cloudwatch.describe_alarms(AlarmNames=["ev-dropped"])["MetricAlarms"][0]["StateValue"]

    automation.rule("ev-dropped", {"detail": {"model": ["dropped"]}}, function)
    put(automation, model="dropped")
    automation.advance(seconds=30)
    assert state() != "ALARM"
    automation.advance(seconds=240)
    assert state() == "ALARM"
    automation.advance(seconds=20 * 3600)
    assert state() == "ALARM"
    automation.advance(seconds=8 * 3600)
    assert state() == "OK"


def test_what_a_function_fails_on_for_good_is_in_its_own_dead_letter_queue(automation):
    dead = automation.queue("ev-buried")
    automation.function("ev-buried", FAIL, DeadLetterConfig={"TargetArn": dead})
    client = automation.client("lambda")
    client.put_function_event_invoke_config(FunctionName="ev-buried", MaximumRetryAttempts=0)
    client.invoke(FunctionName="ev-buried", InvocationType="Event", Payload=b'{"n": 1}')
    automation.settle()
    [(body, attributes)] = automation.received(dead)
    assert json.loads(body) == {"n": 1}
    assert attributes["ErrorMessage"] == "no luck"


def test_a_scheduled_rule_fires_when_the_clock_passes_its_moments(automation):
    queue = automation.queue("ev-daily")
    events = automation.client("events")
    events.put_rule(Name="ev-daily", ScheduleExpression="cron(0 6 * * ? *)")
    events.put_targets(Rule="ev-daily", Targets=[{"Id": "1", "Arn": queue}])
    automation.advance(seconds=2 * 86_400)
    found = automation.bodies(queue)
    assert [event["time"][10:] for event in found] == ["T06:00:00Z"] * 2
    assert found[0]["detail-type"] == "Scheduled Event"
    events.disable_rule(Name="ev-daily")
    automation.advance(seconds=2 * 86_400)
    assert automation.received(queue) == []


@pytest.mark.parametrize(
    "given",
    [
        {"EventPattern": '{"source": [{"prefxi": "a"}]}'},
        {"EventPattern": '{"source": "aws.s3"}'},
        {"ScheduleExpression": "cron(0 6 * * * *)"},
        {"ScheduleExpression": "rate(1 days)"},
    ],
)
def test_a_rule_that_aws_would_refuse_is_refused(automation, given):
    with pytest.raises(ClientError, match="not valid"):
        automation.client("events").put_rule(Name="ev-wrong", **given)
