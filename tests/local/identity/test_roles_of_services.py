"""Functions, schedules, rules and alarms act by their role, or by the policy of what they call."""

import json

import pytest
from botocore.exceptions import ClientError

READ = """
import boto3
def handler(event, context):
    return boto3.client("s3").get_object(Bucket=event["bucket"], Key="x")["Body"].read().decode()
"""
PRINT = """
def handler(event, context):
    print("called")
"""
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"


def invoked(roles, **event):
    answer = roles.cloud.client("lambda").invoke(FunctionName=roles.name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def dead_letters(roles, queue):
    """What could not be delivered since they were last asked for."""
    roles.cloud.settle()
    sqs = roles.cloud.client("sqs")
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    for message in answer.get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [
        {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        for message in answer.get("Messages", [])
    ]


@pytest.fixture
def dead(roles):
    """A queue for what rules cannot deliver: its URL."""
    name = f"{roles.name}-dead"
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    rules = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rules]})
    return roles.cloud.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]


@pytest.fixture
def rule(roles, dead):
    """A rule on the test's own events; `rule(target)` adds a target, and puts an event."""
    events = roles.cloud.client("events")
    events.put_rule(Name=roles.name, EventPattern=json.dumps({"source": [roles.name]}))

    def fire(arn, **more):
        letters = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:123456789012:{dead.rsplit('/', 1)[-1]}"}}
        events.put_targets(Rule=roles.name, Targets=[{"Id": "1", "Arn": arn, **letters, **more}])
        events.put_events(Entries=[{"Source": roles.name, "DetailType": "t", "Detail": "{}"}])

    return fire


def test_a_function_reads_what_its_role_may_and_nothing_else(roles, allow):
    roles.cloud.put(f"s3://{roles.name}/x", b"read")
    roles.cloud.put(f"s3://{roles.name}-other/x", b"secret")
    logs = allow("logs:*", resource="arn:aws:logs:*:*:log-group:/aws/lambda/*")
    roles.function(roles.role(allow("s3:GetObject", resource=f"{roles.bucket}/*"), logs), READ)
    assert invoked(roles, bucket=roles.name) == "read"
    refused = invoked(roles, bucket=f"{roles.name}-other")
    assert refused["errorType"] == "AccessDenied"
    actor = f"assumed-role/{roles.name}/{roles.name}"
    assert f"{actor} is not authorized to perform: s3:GetObject" in refused["errorMessage"]


def test_a_function_whose_role_does_not_trust_lambda_fails(roles, allow):
    roles.function(roles.role(allow("logs:*"), services=["sagemaker"]), PRINT)
    assert invoked(roles)["errorMessage"] == "The role defined for the function cannot be assumed by Lambda."


def test_a_rule_calls_a_function_only_if_the_functions_policy_allows_the_rule(roles, rule, dead, allow):
    function = roles.function(roles.role(allow("logs:*")), PRINT)
    source = f"arn:aws:events:us-east-1:123456789012:rule/{roles.name}"
    permission = {"FunctionName": roles.name, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    roles.cloud.client("lambda").add_permission(**permission, StatementId="other", SourceArn=f"{source}-other")
    rule(function)
    (letter,) = dead_letters(roles, dead)
    assert letter["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "because no resource-based policy allows the lambda:InvokeFunction action" in letter["ERROR_MESSAGE"]
    roles.cloud.client("lambda").add_permission(**permission, StatementId="own", SourceArn=source)
    rule(function)
    assert dead_letters(roles, dead) == []
    roles.cloud.settle()
    assert "called" in roles.cloud.log(f"/aws/lambda/{roles.name}", "20")  # streams begin with the year


def test_an_alarm_reaches_an_encrypted_topic_only_if_the_key_lets_cloudwatch_use_it(roles):
    kms, sns, cloudwatch = (roles.cloud.client(service) for service in ("kms", "sns", "cloudwatch"))
    any_use = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    root = any_use | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    own = any_use | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [root]}))["KeyMetadata"]["Arn"]
    topic = sns.create_topic(Name=roles.name, Attributes={"KmsMasterKeyId": key})["TopicArn"]
    metric = {"Namespace": roles.name, "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    threshold = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName=roles.name, AlarmActions=[topic], **metric, **threshold)

    def told():
        cloudwatch.set_alarm_state(AlarmName=roles.name, StateValue="OK", StateReason="test")
        cloudwatch.set_alarm_state(AlarmName=roles.name, StateValue="ALARM", StateReason="test")
        roles.cloud.settle()
        items = cloudwatch.describe_alarm_history(AlarmName=roles.name, HistoryItemType="Action")["AlarmHistoryItems"]
        return items[0]["HistorySummary"]

    assert "is not authorized to perform: kms:GenerateDataKey" in told()
    kms.put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [root, own]})
    )
    assert told() == f"Successfully executed action {topic}"


def test_a_schedule_creates_a_job_only_if_its_role_may_create_it_and_pass_the_jobs_role(roles, grants, allow, dead):
    job_role = roles.role(*grants(roles.name).values(), suffix="-job")
    create = allow("sagemaker:CreateProcessingJob", resource="arn:aws:sagemaker:*:*:processing-job/*")
    letters = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:123456789012:{dead.rsplit('/', 1)[-1]}"}}
    job = {
        "ProcessingJobName": roles.name,
        "RoleArn": job_role,
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/job:1"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
    }
    bury = allow("sqs:SendMessage", resource=letters["DeadLetterConfig"]["Arn"])
    target = {"Arn": UNIVERSAL, "RoleArn": roles.role(create, bury), "Input": json.dumps(job), **letters}
    once = {"ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    roles.cloud.client("scheduler").create_schedule(Name=roles.name, Target=target, **once)
    roles.cloud.advance(seconds=5)
    (letter,) = dead_letters(roles, dead)
    assert f"iam:PassRole on resource: {job_role}" in letter["ERROR_MESSAGE"]
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    document = {
        "Version": "2012-10-17",
        "Statement": [create, allow("iam:PassRole", resource=job_role, Condition=passed)],
    }
    roles.cloud.client("iam").put_role_policy(
        RoleName=roles.name, PolicyName="test", PolicyDocument=json.dumps(document)
    )
    roles.cloud.advance(seconds=3600)
    assert dead_letters(roles, dead) == []
    assert roles.ended()["RoleArn"] == job_role
    roles.cloud.client("scheduler").delete_schedule(Name=roles.name)


def test_a_person_who_has_taken_on_a_role_is_held_to_it(roles, allow):
    roles.cloud.put(f"s3://{roles.name}/x", b"1")
    role = roles.role(allow("s3:ListBucket", resource=roles.bucket))
    keys = roles.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="ada")["Credentials"]
    as_role = roles.cloud.client_with(keys, "s3")
    assert as_role.list_objects_v2(Bucket=roles.name)["KeyCount"] == 1
    with pytest.raises(ClientError) as error:
        as_role.delete_object(Bucket=roles.name, Key="x")
    told = error.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)
    assert told["Error"]["Message"] == (
        f"User: arn:aws:sts::123456789012:assumed-role/{roles.name}/ada is not authorized to perform: s3:DeleteObject"
        f' on resource: "{roles.bucket}/x" because no identity-based policy allows the s3:DeleteObject action'
    )
    assert roles.cloud.client_with(keys, "sts").get_caller_identity()["Arn"].endswith(f"{roles.name}/ada")


def test_a_policy_that_cannot_be_evaluated_is_said_and_not_passed_over(roles, allow):
    role = roles.role(allow("s3:*", Condition={"StringLike": {"s3:prefix": "${aws:username}/*"}}))
    keys = roles.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="ada")["Credentials"]
    roles.cloud.client("s3").create_bucket(Bucket=roles.name)
    with pytest.raises(ClientError, match="policy variable") as error:
        roles.cloud.client_with(keys, "s3").list_objects_v2(Bucket=roles.name, Prefix="ada/")
    assert error.value.response["Error"]["Code"] == "UnsupportedOperation"
