"""The governor starts a run when the rules allow one, and says why or why not."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from monitoring import governor
from monitoring.contract import STARTED_BY
from monitoring.governor import IN_FLIGHT, Run, Spec, Trigger, decide, handler, trigger_of

NOW = datetime(2013, 4, 1, tzinfo=UTC)
SPEC = Spec(1, "flight-delay", "sagestack-test-flight-delay", "data", "flight-delay/labelled/", 75, 3, on_drift=True)
STATUSES = ("Executing", "Stopping", "Stopped", "Failed", "Succeeded")
RUNS = st.lists(
    st.builds(Run, st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)), st.sampled_from(STATUSES)),
    max_size=5,
)
TRIGGERS = st.sampled_from([Trigger(name, "it happened") for name in STARTED_BY])


def decided(trigger="new-data", *runs, new_files=3, spec=SPEC):
    return decide(Trigger(trigger, "it happened"), NOW, runs=runs, new_files=new_files, spec=spec)


def ago(days, status="Succeeded"):
    return Run(NOW - timedelta(days=days), status)


def test_the_first_run_starts_when_there_are_files_enough():
    assert not decided(new_files=2).start
    assert decided(new_files=3) == governor.Decision(start=True, reason="it happened", started_by="new-data")


def test_the_cooldown_ends_on_its_last_day():
    assert decided("drift", ago(75)).start
    refused = decided("drift", ago(74.99))
    assert not refused.start
    assert "the cooldown lasts until 2013-04-01T00:14:24Z" in refused.reason


def test_a_person_passes_the_cooldown_but_no_run_in_flight():
    assert decided("person", ago(1)).start
    assert "still in flight" in decided("person", ago(1, "Executing")).reason


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_run_that_came_to_nothing_does_not_block_the_next(status):
    assert decided("drift", ago(1, status)).start
    assert not decided("drift", ago(1, status), ago(30)).start


def test_the_configuration_switches_triggers_off():
    quiet = Spec(**{**vars(SPEC), "on_drift": False, "minimum_new_files": None})
    assert "drift starts nothing" in decided("drift", spec=quiet).reason
    assert "new data starts nothing" in decided("new-data", spec=quiet).reason
    assert decided("person", spec=quiet).start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_no_trigger_starts_a_second_run(trigger, runs, new_files):
    running = Run(NOW - timedelta(hours=1), IN_FLIGHT[new_files % 2])
    assert not decide(trigger, NOW, runs=[*runs, running], new_files=new_files, spec=SPEC).start


@given(TRIGGERS, RUNS, st.integers(0, 74))
def test_only_a_person_starts_a_run_within_the_cooldown(trigger, runs, days):
    decision = decide(trigger, NOW, runs=[*runs, ago(days)], new_files=9, spec=SPEC)
    assert not decision.start or trigger.started_by == "person"


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_every_trigger_starts_a_run_sooner_or_later(trigger, runs, new_files):
    over = [Run(run.started, "Failed") if run.status in IN_FLIGHT else run for run in runs]
    later = NOW + timedelta(days=75)
    assert decide(trigger, later, runs=over, new_files=new_files + 3, spec=SPEC).start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_the_order_of_runs_does_not_matter(trigger, runs, new_files):
    first = decide(
        trigger, NOW, runs=sorted(runs, key=lambda run: (run.started, run.status)), new_files=new_files, spec=SPEC
    )
    assert decide(trigger, NOW, runs=runs, new_files=new_files, spec=SPEC).start == first.start


@given(TRIGGERS, RUNS, st.integers(0, 9))
def test_every_decision_names_what_happened_and_who_asked(trigger, runs, new_files):
    decision = decide(trigger, NOW, runs=runs, new_files=new_files, spec=SPEC)
    assert decision.reason.startswith("it happened")
    assert decision.started_by == trigger.started_by
    assert decision.start == (decision.reason == "it happened")


def event(source, detail_type, detail):
    head = {"id": "9f6b2c1e", "time": "2013-04-01T00:00:00Z"}
    return head | {"source": source, "detail-type": detail_type, "detail": detail}


def created(key="flight-delay/labelled/2013-03.parquet", bucket="data"):
    return event("aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": {"key": key}})


def alarm(value="ALARM"):
    return event("aws.cloudwatch", "CloudWatch Alarm State Change", {"alarmName": "drift", "state": {"value": value}})


@pytest.mark.parametrize(
    ("happened", "trigger"),
    [
        (created(), Trigger("new-data", "new data flight-delay/labelled/2013-03.parquet")),
        (created(key="other/2013-03.parquet"), None),
        (created(bucket="other"), None),
        (alarm(), Trigger("drift", "alarm drift")),
        (alarm("OK"), None),
        (
            event("sagestack", "Retraining Requested", {"reason": "new fares"}),
            Trigger("person", "asked for: new fares"),
        ),
        (event("sagestack", "Retraining Requested", {}), Trigger("person", "asked for: no reason given")),
        (event("aws.events", "Scheduled Event", {}), Trigger("schedule", "the schedule")),
    ],
)
def test_events_are_triggers_or_none_of_its_business(happened, trigger):
    assert trigger_of(happened, SPEC) == trigger


def test_an_event_that_no_rule_should_send_is_an_error():
    with pytest.raises(ValueError, match="knows no event 'Object Deleted'"):
        trigger_of(event("aws.s3", "Object Deleted", {}), SPEC)


@pytest.fixture
def sagemaker(monkeypatch):
    """SageMaker's answers, checked against its service model; S3 is a real in-process one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(vars(SPEC)))
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="data")
        client = boto3.client("sagemaker")
        real = boto3.client
        monkeypatch.setattr(boto3, "client", lambda service: client if service == "sagemaker" else real(service))
        with Stubber(client) as stub:
            yield stub
            stub.assert_no_pending_responses()


def put_files(number):
    for index in range(number):
        boto3.client("s3").put_object(Bucket="data", Key=f"flight-delay/labelled/2013-{index:02d}.parquet", Body=b"")


def expect_runs(sagemaker, *runs):
    summaries = [{"StartTime": run.started, "PipelineExecutionStatus": run.status} for run in runs]
    sagemaker.add_response(
        "list_pipeline_executions", {"PipelineExecutionSummaries": summaries}, {"PipelineName": SPEC.pipeline}
    )


def expect_start(sagemaker, tokens, started_by="new-data"):
    expected = {
        "PipelineName": SPEC.pipeline,
        "PipelineExecutionDescription": ANY,
        "PipelineParameters": [{"Name": "StartedBy", "Value": started_by}],
        "ClientRequestToken": ANY,
    }
    arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/abcdefabcdef"
    sagemaker.add_response("start_pipeline_execution", {"PipelineExecutionArn": arn}, expected)
    sagemaker.client.meta.events.register(
        "provide-client-params.sagemaker.StartPipelineExecution",
        lambda params, **_: tokens.append(params["ClientRequestToken"]),
    )


def test_enough_new_files_start_the_pipeline(sagemaker, capsys):
    put_files(3)
    expect_runs(sagemaker)
    tokens = []
    expect_start(sagemaker, tokens)
    answer = handler(created(), None)
    assert answer["decision"]["start"]
    assert answer["decision"]["execution"].endswith("abcdefabcdef")
    assert json.loads(capsys.readouterr().out) == answer
    assert 32 <= len(tokens[0]) <= 128


def test_an_event_delivered_twice_carries_the_same_token(sagemaker):
    tokens = []
    for happened in (alarm(), alarm(), alarm() | {"id": "another"}):
        expect_runs(sagemaker)
        expect_start(sagemaker, tokens, "drift")
        handler(happened, None)
    assert tokens[0] == tokens[1] != tokens[-1]


def test_files_that_were_there_before_the_last_run_are_not_new(sagemaker, capsys):
    put_files(3)
    expect_runs(sagemaker, Run(datetime.now(UTC) + timedelta(seconds=5), "Failed"), ago(400))
    answer = handler(created(), None)
    assert not answer["decision"]["start"]
    assert "0 new file(s) since the last run was started, 3 needed" in answer["decision"]["reason"]
    assert json.loads(capsys.readouterr().out) == answer


def test_a_folders_marker_is_no_file(sagemaker):
    put_files(2)
    boto3.client("s3").put_object(Bucket="data", Key="flight-delay/labelled/", Body=b"")
    expect_runs(sagemaker)
    assert "2 new file(s)" in handler(created(), None)["decision"]["reason"]


def test_what_is_none_of_its_business_is_recorded_too(sagemaker, capsys):
    del sagemaker
    assert handler(alarm("OK"), None)["decision"]["start"] is False
    assert "no reason to retrain flight-delay" in json.loads(capsys.readouterr().out)["decision"]["reason"]


def test_the_events_own_time_decides_not_the_clock(sagemaker):
    expect_runs(sagemaker, Run(NOW - timedelta(days=30), "Succeeded"))
    assert "the cooldown lasts until 2013-05-16" in handler(alarm(), None)["decision"]["reason"]


def test_another_version_of_the_spec_is_refused(sagemaker, monkeypatch):
    del sagemaker
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(vars(SPEC) | {"schema_version": 2}))
    with pytest.raises(ValueError, match="must have schema_version 1"):
        handler(alarm(), None)
