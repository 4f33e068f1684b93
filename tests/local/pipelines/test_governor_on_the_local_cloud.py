"""The governor in a cloud whose table, pipeline and clock are one for all: triggers at once, files in bursts."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from infra.constructs.governor import CODE, RUNTIME
from infra.constructs.lambda_code import LambdaCode
from infra.pipelines.definition import Parameter
from monitoring.contract import GOVERNOR_HANDLER, LEDGER_AT, LEDGER_KIND, STARTED_BY_PARAMETER
from monitoring.governor import function
from tests.unit.monitoring.governing import DEBOUNCE, SPEC, asked, created, event, of_new_data

TRIGGERS = 50


@pytest.fixture
def place(fake_cloud, pipelines, build, request):
    """A pipeline and a table of the same name; its step does what `request` says."""
    parameter = Parameter(name=STARTED_BY_PARAMETER, type="String", default_value="person")
    name = pipelines.create(build.processing("Work", getattr(request, "param", "answer")), parameters=(parameter,))
    keys = {LEDGER_KIND: "HASH", LEDGER_AT: "RANGE"}
    fake_cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )
    return name


@pytest.fixture
def governed(fake_cloud, place, monkeypatch):
    """A model whose schedule and people may ask, and nothing holds back but its own runs."""
    spec = replace(SPEC, pipeline=place, table=place)
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(spec)))
    for service in ("dynamodb", "events", "sagemaker", "s3", "cloudwatch"):
        fake_cloud.client(service)
    monkeypatch.setattr(function, "client", fake_cloud.client)
    return spec


@pytest.fixture
def deployed(fake_cloud, place, new_role):
    """A governor as it is deployed, whose bucket's events reach it and which puts new data off."""
    bucket, arn = f"{place}-data".lower(), f"arn:aws:lambda:us-east-1:123456789012:function:{place}"
    new_role(fake_cloud.client("iam"), place)
    role = f"arn:aws:iam::123456789012:role/{place}"
    debounce = replace(DEBOUNCE, schedules=place, function=arn, role=role)
    rules = of_new_data(minimum_files=3, debounce=debounce).new_data
    spec = replace(SPEC, pipeline=place, table=place, data_bucket=bucket, new_data=rules)
    fake_cloud.client("lambda").create_function(
        FunctionName=place,
        Runtime=RUNTIME,
        Role=role,
        Handler=GOVERNOR_HANDLER,
        Code={"ZipFile": LambdaCode.of(*CODE).content},
        Environment={"Variables": {"SAGESTACK_GOVERNOR_SPEC": json.dumps(asdict(spec))}},
        Timeout=60,
    )
    fake_cloud.client("lambda").add_permission(
        FunctionName=place, StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    s3, events = fake_cloud.client("s3"), fake_cloud.client("events")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=place, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=place, Targets=[{"Id": "governor", "Arn": arn}])
    return spec


def decisions(happened):
    with ThreadPoolExecutor(TRIGGERS) as threads:
        return [one["decision"] for one in threads.map(lambda each: function.handler(each, None), happened)]


def executions(pipelines, spec):
    return pipelines.sagemaker.list_pipeline_executions(PipelineName=spec.pipeline)["PipelineExecutionSummaries"]


def test_fifty_triggers_at_once_start_one_run_and_all_are_recorded(fake_cloud, pipelines, governed):
    head = {"time": fake_cloud.now().isoformat()}
    answers = decisions(
        event("aws.events", "Scheduled Event", {}, id_=str(uuid.uuid4()), **head) for _ in range(TRIGGERS)
    )
    assert Counter(answer["start"] for answer in answers) == {True: 1, False: TRIGGERS - 1}
    assert all(
        "still in flight" in answer["reason"] or "cooldown" in answer["reason"]
        for answer in answers
        if not answer["start"]
    )
    assert len(executions(pipelines, governed)) == 1
    assert fake_cloud.client("dynamodb").scan(TableName=governed.table)["Count"] == TRIGGERS + 1


def test_one_event_delivered_fifty_times_at_once_starts_one_run(fake_cloud, pipelines, governed):
    answers = decisions([asked(time=fake_cloud.now().isoformat())] * TRIGGERS)
    assert all(answer["start"] for answer in answers)
    assert len({answer["execution"] for answer in answers}) == 1
    assert len(executions(pipelines, governed)) == 1


@pytest.mark.parametrize("place", ["wait"], indirect=True)
def test_mixed_triggers_at_once_start_one_run(fake_cloud, pipelines, governed):
    head = {"time": fake_cloud.now().isoformat()}
    s3 = fake_cloud.client("s3")
    s3.create_bucket(Bucket=governed.data_bucket)
    for month in range(3):
        s3.put_object(Bucket=governed.data_bucket, Key=f"{governed.data_prefix}{month}.parquet", Body=b"1")
    kinds = (asked, created, lambda **given: event("aws.events", "Scheduled Event", {}, **given))
    happened = [kinds[number % 3](id_=str(uuid.uuid4()), **head) for number in range(30)]
    answers = decisions(happened)
    (run,) = executions(pipelines, governed)
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=run["PipelineExecutionArn"])
    assert Counter(answer["start"] for answer in answers) == {True: 1, False: 29}


def test_a_burst_of_files_starts_one_run_once_it_is_quiet_by_the_clouds_clock(fake_cloud, pipelines, deployed):
    s3 = fake_cloud.client("s3")
    for number in range(5):
        s3.put_object(Bucket=deployed.data_bucket, Key=f"{deployed.data_prefix}{number}.parquet", Body=b"1")
        fake_cloud.settle()
        fake_cloud.advance(seconds=300)
    fake_cloud.advance(seconds=8 * 60)
    assert executions(pipelines, deployed) == []
    assert would_start(fake_cloud, deployed)["new-data"] == ""
    fake_cloud.advance(seconds=4 * 60)
    (run,) = executions(pipelines, deployed)
    assert run["PipelineExecutionStatus"] == "Succeeded"
    items = fake_cloud.client("dynamodb").scan(TableName=deployed.table)["Items"]
    assert Counter(item["kind"]["S"] for item in items) == {"decision": 1, "start": 1, "waiting": 1}
    assert fake_cloud.client("scheduler").list_schedules(NamePrefix=deployed.pipeline)["Schedules"] == []
    assert would_start(fake_cloud, deployed)["new-data"].startswith("the cooldown lasts until ")


def would_start(fake_cloud, spec):
    """What speaks against a run, by who would ask, as the deployed function answers."""
    happened = event("sagestack", "Retraining Outlook", {}, time=fake_cloud.now().isoformat())
    answer = fake_cloud.client("lambda").invoke(FunctionName=spec.pipeline, Payload=json.dumps(happened))
    return {one["started_by"]: one["reason"] for one in json.loads(answer["Payload"].read())["outlook"]}
