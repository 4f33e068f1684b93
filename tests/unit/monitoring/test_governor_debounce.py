"""A burst of uploads is looked at once: when nothing has come for as long as the rules say."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from monitoring.governor import function
from monitoring.governor.debounce import quiet_at
from tests.unit.monitoring.governing import DEBOUNCE, SPEC, created, of_new_data

BEGIN = datetime(2013, 4, 1, 6, tzinfo=UTC)
ARRIVALS = st.lists(st.integers(0, 3 * 3600), min_size=1, max_size=12, unique=True).map(sorted)
DEBOUNCED = of_new_data(minimum_files=1, debounce=DEBOUNCE)


class World:
    """A clock with S3, Scheduler, SageMaker and a bus on it, as much of each as the governor takes of them."""

    def __init__(self, monkeypatch, dynamodb):
        self.now, self.files, self.schedules, self.runs = BEGIN, {}, {}, []
        services = {"dynamodb": dynamodb, "cloudwatch": None}
        monkeypatch.setattr(function, "client", lambda service: services.get(service, self))
        monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(DEBOUNCED)))

    def get_paginator(self, operation):
        self.paginate = {"list_objects_v2": self._list_files, "list_pipeline_executions": self._list_runs}[operation]
        return self

    def _list_files(self, **_):
        return [{"Contents": [{"Key": k, "Size": 1, "LastModified": at} for k, at in self.files.items()]}]

    def _list_runs(self, **_):
        keys = ("StartTime", "PipelineExecutionStatus", "PipelineExecutionArn")
        return [{"PipelineExecutionSummaries": [dict(zip(keys, run, strict=True)) for run in self.runs]}]

    def create_schedule(self, *, Name, ScheduleExpression, Target, **_):  # noqa: N803 - Scheduler's names
        answer = {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now)}}}
        if Name in self.schedules:
            raise ClientError(answer | {"Error": {"Code": "ConflictException"}}, "CreateSchedule")
        due = datetime.strptime(ScheduleExpression, "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
        self.schedules[Name] = (due, json.loads(Target["Input"]))
        return answer

    def start_pipeline_execution(self, **_):
        self.runs.append((self.now, "Succeeded", f"execution/{len(self.runs)}"))
        return {"PipelineExecutionArn": self.runs[-1][2]}

    def put_events(self, **_):
        """Nobody listens."""

    def upload(self, seconds):
        self.now = BEGIN + timedelta(seconds=seconds)
        key = f"{SPEC.data_prefix}{seconds}.parquet"
        self.files[key] = self.now
        return created(key, id_=f"upload-{seconds}", time=self.now.isoformat())

    def due(self, until):
        """What Scheduler fires until a moment, by time; each once."""
        while ready := sorted((due, name) for name, (due, _) in self.schedules.items() if due <= until):
            due, name = ready[0]
            self.now = max(self.now, due)
            _, event = self.schedules.pop(name)
            yield event


@pytest.fixture(scope="module")
def dynamodb():
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


@pytest.fixture(scope="module")
def world(dynamodb):
    """Begins anew at each call."""
    monkeypatch = pytest.MonkeyPatch()

    def begin():
        if SPEC.table in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=SPEC.table)
        keys = [("kind", "HASH"), ("at", "RANGE")]
        dynamodb.create_table(
            TableName=SPEC.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        return World(monkeypatch, dynamodb)

    yield begin
    monkeypatch.undo()


def decide(happened):
    return function.handler(happened, None)["decision"]


def waiting(dynamodb):
    key = {"kind": {"S": "waiting"}, "at": {"S": "only"}}
    return dynamodb.get_item(TableName=SPEC.table, Key=key)["Item"]["until"]["S"]


def test_a_file_is_looked_at_when_no_other_has_come_for_as_long_as_it_says(world, dynamodb):
    here = world()
    told = decide(here.upload(20))
    assert told["reason"].endswith("looked at when no more has come by 2013-04-01T06:16:00Z")
    assert waiting(dynamodb) == "2013-04-01T06:16:00Z"
    (event,) = here.due(BEGIN + timedelta(hours=1))
    told = decide(event)
    assert (told["start"], told["reason"]) == (True, "new data flight-delay/labelled/20.parquet")
    assert waiting(dynamodb) == ""
    assert decide(event)["again"]


@settings(max_examples=40, deadline=None)
@given(ARRIVALS, st.randoms(use_true_random=False))
def test_whatever_comes_however_often_and_late_nothing_starts_before_it_is_quiet_and_nothing_is_lost(
    world, arrivals, chance
):
    here = world()
    for seconds in arrivals:
        for event in here.due(BEGIN + timedelta(seconds=seconds)):
            decide(event)
        event = here.upload(seconds)
        for _ in range(chance.randint(1, 2)):
            assert not decide(event)["start"]
    for event in here.due(BEGIN + timedelta(days=1)):
        for _ in range(chance.randint(1, 2)):
            decide(event)
    uploads = [BEGIN + timedelta(seconds=seconds) for seconds in arrivals]
    then = [*uploads[1:], None]
    quiet = [
        quiet_at(a, DEBOUNCE) for a, b in zip(uploads, then, strict=True) if b is None or b >= quiet_at(a, DEBOUNCE)
    ]
    assert here.runs[0][0] == quiet[0]
    assert len(here.runs) == 1  # the cooldown holds the later ones back
    assert here.schedules == {}


def test_a_file_that_is_told_of_too_late_is_decided_about_at_once_unless_a_newer_one_will_be(world):
    here = world()
    late = here.upload(0)
    here.now += timedelta(hours=1)
    newer = here.upload(3600)
    assert "no more has come by 2013-04-01T07:15:00Z" in decide(late)["reason"]
    here.now += timedelta(hours=1)
    assert decide(newer)["start"]


def test_a_schedule_that_scheduler_does_not_take_now_is_tried_again(world, monkeypatch):
    here = world()

    def throttled(**_):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "CreateSchedule")

    monkeypatch.setattr(here, "create_schedule", throttled)
    with pytest.raises(ClientError, match="Throttling"):
        decide(here.upload(0))


@given(st.datetimes(datetime(2013, 1, 1), datetime(2014, 1, 1), timezones=st.just(UTC)), st.integers(1, 1440))  # noqa: DTZ001
def test_quiet_is_a_whole_minute_never_too_early_and_less_than_one_too_late(last, minutes):
    quiet = quiet_at(last, DEBOUNCE.__class__(**asdict(DEBOUNCE) | {"minutes": minutes}))
    assert (quiet.second, quiet.microsecond) == (0, 0)
    assert timedelta(0) <= quiet - last - timedelta(minutes=minutes) < timedelta(minutes=1)
