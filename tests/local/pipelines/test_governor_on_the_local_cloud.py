"""Many triggers at once, decided side by side against a cloud whose table, pipeline and clock are one for all."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from infra.pipelines.definition import Parameter
from monitoring.contract import LEDGER_AT, LEDGER_KIND, STARTED_BY_PARAMETER
from monitoring.governor import function
from tests.unit.monitoring.governing import SPEC, asked, event

TRIGGERS = 50


@pytest.fixture
def governed(fake_cloud, pipelines, build, monkeypatch):
    """A model whose schedule and people may ask, and nothing holds back but its own runs."""
    parameter = Parameter(name=STARTED_BY_PARAMETER, type="String", default_value="person")
    name = pipelines.create(build.processing("Work"), parameters=(parameter,))
    keys = {LEDGER_KIND: "HASH", LEDGER_AT: "RANGE"}
    fake_cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )
    spec = replace(SPEC, pipeline=name, table=name)
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(spec)))
    for service in ("dynamodb", "events", "sagemaker"):
        fake_cloud.client(service)
    monkeypatch.setattr(function, "client", fake_cloud.client)
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
