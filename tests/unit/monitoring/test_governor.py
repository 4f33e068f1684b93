"""The governor as Lambda runs it: it decides, starts one run, remembers, and survives what it is sent."""

import json
import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from monitoring.governor import function
from monitoring.governor.function import handler
from monitoring.governor.ledger import Ledger, Start
from monitoring.governor.sources import LEASE, with_start
from tests.unit.monitoring.governing import (
    ENDPOINT,
    NAMESPACE,
    SPEC,
    alarm,
    asked,
    created,
    event,
    of_new_data,
    of_windows,
    window,
)

NOW = datetime(2013, 4, 1, 6, tzinfo=UTC)
KEYS = [("kind", "HASH"), ("at", "RANGE")]


class SageMaker:
    """As much of a client as the governor takes; a token starts one run, however often it comes."""

    def __init__(self):
        self.runs, self.fails = {}, False
        self._lock = threading.Lock()

    def get_paginator(self, _):
        return self

    def paginate(self, *, PipelineName):  # noqa: N803 - SageMaker's names
        assert PipelineName == SPEC.pipeline
        return [{"PipelineExecutionSummaries": list(self.runs.values())}]

    def start_pipeline_execution(self, *, ClientRequestToken, PipelineParameters, **_):  # noqa: N803
        if self.fails:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "StartPipelineExecution")
        with self._lock:
            (started_by,) = PipelineParameters
            return self.runs.setdefault(ClientRequestToken, run(NOW, "Executing", started_by["Value"]))


def run(started, status="Succeeded", name="earlier"):
    return {"StartTime": started, "PipelineExecutionStatus": status, "PipelineExecutionArn": f"execution/{name}"}


@pytest.fixture(scope="module")
def clients():
    """Made once: they are what takes time."""
    with mock_aws():
        names = ("s3", "dynamodb", "events", "cloudwatch", "sqs")
        return {name: boto3.client(name, region_name="us-east-1") for name in names}


@pytest.fixture
def aws(clients, monkeypatch):
    """A new AWS in this process, but for SageMaker."""
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(SPEC)))
    clients = clients | {"sagemaker": SageMaker()}
    monkeypatch.setattr(function, "client", clients.__getitem__)
    with mock_aws():
        clients["s3"].create_bucket(Bucket=SPEC.data_bucket)
        clients["dynamodb"].create_table(
            TableName=SPEC.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS],
        )
        yield clients


def rules(monkeypatch, spec):
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(spec)))


def put_files(aws, number):
    for index in range(number):
        aws["s3"].put_object(Bucket=SPEC.data_bucket, Key=f"{SPEC.data_prefix}2013-{index:02d}.parquet", Body=b"12345")


def publish(aws, end, value, metric="MaxFeature"):
    """A window's metrics; no value where there were too few rows."""
    dimensions = [{"Name": name, "Value": value} for name, value in ENDPOINT.items()]
    data = {"SampleCount": 9} | ({} if value is None else {metric: value})
    aws["cloudwatch"].put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {"MetricName": name, "Value": value, "Timestamp": end, "Dimensions": dimensions}
            for name, value in data.items()
        ],
    )


def decide(happened):
    return handler(happened, None)["decision"]


def test_enough_new_files_start_the_pipeline_and_leave_the_decision_in_log_table_and_bus(aws, capsys):
    queue = aws["sqs"].create_queue(QueueName="decisions")["QueueUrl"]
    aws["events"].put_rule(Name="decisions", EventPattern='{"detail-type": ["Retraining Decided"]}')
    arn = "arn:aws:sqs:us-east-1:123456789012:decisions"
    aws["events"].put_targets(Rule="decisions", Targets=[{"Id": "queue", "Arn": arn}])
    put_files(aws, 3)
    decision = decide(created())
    assert (decision["start"], decision["execution"]) == (True, "execution/new-data")
    assert json.loads(capsys.readouterr().out) == {"decision": decision}
    (item,) = (one for one in aws["dynamodb"].scan(TableName=SPEC.table)["Items"] if one["kind"]["S"] == "decision")
    assert item["at"]["S"] == "2013-04-01T06:00:00Z 9f6b2c1e"
    assert datetime.fromtimestamp(int(item["expires"]["N"]), UTC) == NOW + timedelta(days=400)
    (message,) = aws["sqs"].receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(message["Body"])["detail"]
    assert (told["model"], told["start"], told["reason"]) == ("flight-delay", True, decision["reason"])


def test_files_are_new_if_they_came_after_the_last_run_and_a_folders_marker_is_no_file(aws, monkeypatch):
    put_files(aws, 2)
    aws["s3"].put_object(Bucket=SPEC.data_bucket, Key=SPEC.data_prefix, Body=b"")
    assert "2 new file(s)" in decide(created())["reason"]
    rules(monkeypatch, of_new_data(minimum_files=2, minimum_bytes=11))
    assert "10 new bytes" in decide(created(id_="a"))["reason"]
    aws["sagemaker"].runs["a"] = run(datetime.now(UTC) + timedelta(seconds=5), "Failed")
    assert "0 new file(s)" in decide(created(id_="b"))["reason"]


def test_an_event_delivered_twice_is_decided_once(aws, capsys):
    first, again = decide(asked()), decide(asked())
    assert first["start"]
    assert again == first | {"again": True}
    assert len(aws["sagemaker"].runs) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_drift_counts_windows_by_their_metrics_whatever_the_alarm_says(aws, monkeypatch):
    rules(monkeypatch, of_windows(2, 3))
    months = [datetime(2013, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    for month, value in zip(months, [0.9, 0.3, None, 0.2], strict=True):
        publish(aws, month, value)
    assert "newest window does not breach" in decide(alarm(time="2013-03-01T06:10:00Z"))["reason"]
    assert decide(alarm(id_="a"))["start"]


def test_a_window_that_breached_nothing_is_no_decision_and_one_that_did_asks_although_the_alarm_is_silent(aws):
    publish(aws, datetime(2013, 4, 1, tzinfo=UTC), 0.1)
    assert "no reason to retrain" in decide(window())["reason"]
    assert aws["dynamodb"].scan(TableName=SPEC.table)["Items"] == []
    publish(aws, datetime(2013, 4, 2, tzinfo=UTC), 0.3)
    assert decide(window(time="2013-04-02T06:00:00Z"))["start"]


def test_what_would_be_decided_is_told_without_starting_or_writing_anything(aws):
    put_files(aws, 1)
    publish(aws, NOW, 0.1)
    asked_for = {"id": "x", "time": NOW.isoformat(), "source": "sagestack", "detail-type": "Retraining Outlook"}
    told = {one.pop("started_by"): one for one in handler(asked_for, None)["outlook"]}
    assert told.keys() == {"person", "drift", "quality", "new-data"}
    assert told["person"] == {"start": True, "reason": "", "until": ""}
    assert told["drift"]["reason"] == "the newest window does not breach a threshold"
    assert told["new-data"]["reason"] == "1 new file(s) since the last run was started, 3 needed"
    assert aws["dynamodb"].scan(TableName=SPEC.table)["Items"] == []
    assert aws["sagemaker"].runs == {}
    assert decide(asked())["start"]
    later = handler(asked_for | {"time": (NOW + timedelta(days=1)).isoformat()}, None)["outlook"]
    assert {one["reason"][:36] for one in later} == {"a run started at 2013-04-01T06:00:00"}


def test_a_fall_of_quality_asks_by_its_own_alarm_and_is_what_the_run_was_started_by(aws):
    publish(aws, NOW, 0.61, "AUC")
    assert "newest window does not breach" in decide(alarm(name="quality"))["reason"]
    publish(aws, NOW + timedelta(days=1), 0.59, "AUC")
    happened = alarm(name="quality", id_="a", time="2013-04-02T06:10:00Z")
    assert decide(happened)["execution"] == "execution/quality"


def test_a_governor_that_died_before_the_start_starts_at_the_next_try_and_once(aws):
    aws["sagemaker"].fails = True
    with pytest.raises(ClientError, match="Throttling"):
        handler(asked(), None)
    (kept,) = (one for one in aws["dynamodb"].scan(TableName=SPEC.table)["Items"] if one["kind"]["S"] == "decision")
    assert "could not be started, which is tried again: An error occurred (ThrottlingException)" in kept["reason"]["S"]
    assert "still in flight" in decide(asked(id_="another"))["reason"]
    aws["sagemaker"].fails = False
    assert decide(asked())["start"]
    assert len(aws["sagemaker"].runs) == 1


@pytest.mark.parametrize("later", [LEASE, -LEASE])
def test_a_start_that_never_was_blocks_nothing_once_its_lease_has_passed_either_way_of_the_clock(aws, later):
    aws["sagemaker"].fails = True
    with pytest.raises(ClientError):
        handler(asked(), None)
    aws["sagemaker"].fails = False
    assert decide(asked(id_="another", time=(NOW + later).isoformat()))["start"]


def test_a_start_counts_as_one_run_however_far_sagemaker_is_with_it():
    begun = Start(1, "event", NOW.isoformat(), "execution/a")
    assert [one.status for one in with_start([], begun, NOW)] == ["Executing"]
    assert with_start([], begun, NOW + LEASE) == []
    assert with_start([], Start(), NOW) == []


def test_what_was_begun_by_another_meanwhile_is_not_begun_again(aws):
    ledger = Ledger(aws["dynamodb"], SPEC.table)
    before = ledger.start()
    first = ledger.begin(before, "a", NOW)
    assert ledger.begin(before, "b", NOW) is None
    second = ledger.begin(first, "b", NOW)
    ledger.began(first, "execution/a")  # late: the second one is not overwritten
    assert ledger.start() == second


def test_a_hold_is_read_from_the_table(aws):
    hold = {"kind": "hold", "at": "only", "why": "labels are wrong", "by": "ada", "since": "2013-03-30T10:00:00Z"}
    aws["dynamodb"].put_item(TableName=SPEC.table, Item={name: {"S": value} for name, value in hold.items()})
    assert decide(asked())["reason"].endswith("on hold: labels are wrong (ada, 2013-03-30T10:00:00Z)")


def test_the_events_own_time_decides_not_the_clock(aws):
    aws["sagemaker"].runs["a"] = run(NOW - timedelta(days=30))
    publish(aws, NOW, 0.3)
    assert "the cooldown lasts until 2013-05-16" in decide(alarm())["reason"]


@pytest.mark.parametrize(
    "happened",
    [
        event("aws.s3", "Object Deleted", {}),
        created(time="yesterday"),
        created(time="2013-04-01T06:00:00"),
        {},
        [],
        None,
        {"id": 7, "time": "2013-04-01T06:00:00Z"},
    ],
)
def test_what_no_rule_should_send_is_a_line_in_the_log_and_no_error(aws, capsys, happened):
    assert decide(happened)["start"] is False
    assert json.loads(capsys.readouterr().out)["decision"]["reason"]
    assert aws["dynamodb"].scan(TableName=SPEC.table)["Items"] == []


def test_without_its_table_it_starts_nothing_and_says_what_to_do(aws, capsys):
    aws["dynamodb"].delete_table(TableName=SPEC.table)
    assert decide(asked())["start"] is False
    assert "deploy the stack of flight-delay" in json.loads(capsys.readouterr().out)["decision"]["reason"]
    assert aws["sagemaker"].runs == {}


@pytest.mark.parametrize("code", ["ResourceNotFound", "ThrottlingException", "AccessDeniedException"])
def test_a_pipeline_that_is_gone_or_not_told_of_is_an_error_that_is_tried_again_and_no_decision(aws, monkeypatch, code):
    def refused(**_):
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "ListPipelineExecutions")

    monkeypatch.setattr(aws["sagemaker"], "paginate", refused)
    with pytest.raises(ClientError, match=rf"\({code}\) when calling the ListPipelineExecutions"):
        handler(asked(), None)
    assert aws["dynamodb"].scan(TableName=SPEC.table)["Items"] == []


def test_events_out_of_order_are_decided_as_of_their_own_times(aws):
    aws["sagemaker"].runs["a"] = run(NOW, "Succeeded")
    put_files(aws, 3)
    late, early = NOW + timedelta(days=80), NOW + timedelta(days=10)
    assert (
        "the cooldown lasts until"
        in decide(event("aws.events", "Scheduled Event", {}, time=early.isoformat()))["reason"]
    )
    assert decide(event("aws.events", "Scheduled Event", {}, id_="b", time=late.isoformat()))["start"]
    again = decide(event("aws.events", "Scheduled Event", {}, id_="c", time=early.isoformat()))
    assert "the cooldown lasts until" in again["reason"] or "still in flight" in again["reason"]


def test_another_version_of_the_spec_is_refused(monkeypatch):
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(SPEC) | {"schema_version": 3}))
    with pytest.raises(ValueError, match="must have schema_version 4"):
        handler(asked(), None)
