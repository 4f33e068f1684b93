"""What people see of the governor's decisions, and how they hold it."""

import io
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.retraining import commands, ledger, outlook
from monitoring.governor.ledger import Ledger
from monitoring.governor.rules import Decision

NOW = datetime(2013, 7, 10, 6, 0, tzinfo=UTC)
TABLE = "sagestack-local-flight-delay-retraining"
KEYS = {"kind": "HASH", "at": "RANGE"}


@pytest.fixture
def aws(monkeypatch):
    """The table as it is deployed, and a bus that keeps what it is given."""
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in KEYS.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in KEYS],
        )
        bus = Bus()
        clients = {"dynamodb": dynamodb, "events": bus, "lambda": Lambda()}
        for module in (commands, ledger, outlook):
            monkeypatch.setattr(module, "client", lambda _, service: clients[service])
        monkeypatch.setattr(ledger, "answered_at", lambda _: NOW)
        monkeypatch.setenv("COLUMNS", "200")
        yield dynamodb, bus, clients["lambda"]


class Lambda:
    """The governor's function, which says what it is told to."""

    def __init__(self):
        self.answer, self.refuses, self.asked = {"outlook": []}, None, []

    def invoke(self, *, FunctionName, Payload):  # noqa: N803 - Lambda's names
        self.asked.append((FunctionName, json.loads(Payload)))
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "you may not"}}, "Invoke")
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in self.answer else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


class Bus:
    """As much of EventBridge as a request takes."""

    def __init__(self):
        self.entries = []

    def put_events(self, *, Entries):  # noqa: N803 - EventBridge's name
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{}]}


@pytest.fixture
def run(in_process, new_project, monkeypatch):
    monkeypatch.setenv("SAGESTACK_ROOT", str(new_project().root))
    return in_process


def test_decisions_are_listed_newest_first_with_who_asked_and_why_not(aws, run):
    decided(aws)
    code, out, _ = run("retraining", "flight-delay")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert code == 0
    assert rows == [
        ["2013-07-09 06:00", "drift", "not started", "reason 9"],
        ["2013-07-01 06:00", "drift", "started", "reason 1"],
    ]
    assert "reason 1" not in run("retraining", "flight-delay", "--last", "1")[1]


def test_what_would_start_a_run_now_and_when_the_rest_may_is_what_the_governor_answers(aws, run):
    cooling = {"started_by": "drift", "start": False, "reason": "the cooldown lasts until 2013-07-31T06:00:00Z"}
    few = {"started_by": "new-data", "start": False, "reason": "1 new file(s), 3 needed", "until": ""}
    soon = {"started_by": "quality", "start": False, "reason": "so it is", "until": "2013-07-10T08:50:00Z"}
    person = {"started_by": "person", "start": True, "reason": "", "until": ""}
    aws[2].answer = {"outlook": [person, cooling | {"until": "2013-07-31T06:00:00Z"}, few, soon]}
    lines = run("retraining", "flight-delay")[1].splitlines()
    assert lines[:5] == [
        "flight-delay in local, 2013-07-10 06:00 UTC",
        "✓ a person  would start a run now",
        "✗ drift     the cooldown lasts until 2013-07-31T06:00:00Z (in 21 days)",
        "✗ new data  1 new file(s), 3 needed",
        "✗ quality   so it is (in 3 hours)",
    ]
    ((function, event),) = aws[2].asked
    assert (function, event["time"]) == ("sagestack-local-flight-delay-governor", NOW.isoformat())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"refuses": "AccessDeniedException"}, "you may not"),
        ({"answer": {"errorMessage": "no spec"}}, "sagestack-local-flight-delay-governor failed: no spec"),
    ],
)
def test_a_governor_that_cannot_be_asked_is_no_reason_not_to_show_what_it_decided(aws, run, change, why):
    decided(aws)
    vars(aws[2]).update(change)
    code, out, _ = run("retraining", "flight-delay")
    assert (code, f"is not known: {why}" in out, "reason 9" in out) == (0, True, True)


def test_data_that_waits_to_be_looked_at_is_shown_until_it_was(aws, run):
    kept = Ledger(aws[0], TABLE)
    kept.wait(datetime(2013, 7, 10, 6, 15, tzinfo=UTC), "new data a.parquet")
    assert "Waiting for quiet until 2013-07-10 06:15: new data a.parquet" in run("retraining", "flight-delay")[1]
    kept.wait(None, "new data a.parquet")
    assert "Waiting" not in run("retraining", "flight-delay")[1]


def test_machines_get_all_of_it_as_json(aws, run):
    decided(aws)
    run("hold", "flight-delay", "--why", "labels are wrong", "--by", "ada")
    told = json.loads(run("retraining", "flight-delay", "--json")[1])
    newest = {"at": "2013-07-09T06:00:00Z", "start": False, "started_by": "drift", "reason": "reason 9"}
    assert told.pop("decisions")[0] == newest | {"until": "2013-07-15T00:00:00Z", "execution": ""}
    hold = {"why": "labels are wrong", "by": "ada", "since": "2013-07-10T06:00:00Z"}
    head = {"model": "flight-delay", "environment": "local", "at": "2013-07-10T06:00:00Z"}
    assert told == head | {"hold": hold, "waiting": None, "now": [], "approvals": []}


def test_what_was_approved_without_a_person_stands_between_the_runs(aws, run):
    decided(aws)
    about = {"approved": True, "version": "3", "reason": "auc 0.7200", "started_by": "drift"}
    Ledger(aws[0], TABLE).approval("event-5", datetime(2013, 7, 5, tzinfo=UTC), about)
    out = run("retraining", "flight-delay")[1]
    assert out.index("reason 9") < out.index("version 3 approved") < out.index("reason 1")
    (told,) = json.loads(run("retraining", "flight-delay", "--json")[1])["approvals"]
    assert told == about | {"at": "2013-07-05T00:00:00Z"}


def decided(aws):
    """A start, and a week later none."""
    for day, start, until in ((1, True, None), (9, False, datetime(2013, 7, 15, tzinfo=UTC))):
        decision = Decision(start=start, reason=f"reason {day}", started_by="drift", until=until)
        Ledger(aws[0], TABLE).record(decision, f"event-{day}", datetime(2013, 7, day, 6, tzinfo=UTC), None)


def test_a_hold_is_what_the_governor_reads_until_it_is_released(aws, run):
    kept = Ledger(aws[0], TABLE)
    assert run("hold", "flight-delay", "--why", "labels are wrong", "--by", "ada")[0] == 0
    assert kept.hold() == "labels are wrong (ada, 2013-07-10T06:00:00Z)"
    assert "by ada: labels are wrong" in run("retraining", "flight-delay")[1]
    assert run("resume", "flight-delay")[0] == 0
    assert kept.hold() is None
    code, _, err = run("resume", "flight-delay")
    assert (code, err) == (1, "flight-delay in local is not on hold\n")


def test_a_person_asks_with_a_reason_and_a_name(aws, run):
    code, out, _ = run("retrain", "flight-delay", "--why", "a new feature", "--by", "ada")
    (entry,) = aws[1].entries
    assert (code, entry["Source"], entry["DetailType"]) == (0, "sagestack", "Retraining Requested")
    assert json.loads(entry["Detail"]) == {"model": "flight-delay", "reason": "a new feature", "by": "ada"}
    assert "sagestack retraining flight-delay --env local" in out


@pytest.mark.parametrize("command", ["hold", "retrain"])
def test_a_reason_that_says_nothing_is_refused(aws, run, command):
    assert aws
    code, _, err = run(command, "flight-delay", "--why", " ", "--by", "ada")
    assert code == 2
    assert "--why is empty" in err


@pytest.mark.parametrize("command", [["retraining"], ["resume"], ["hold", "--why", "x"], ["retrain", "--why", "x"]])
def test_before_the_first_deploy_there_is_no_governor_to_ask(aws, run, command):
    aws[0].delete_table(TableName=TABLE)
    code, _, err = run(command[0], "flight-delay", *command[1:])
    assert (code, err.splitlines()) == (
        2,
        [f"flight-delay has no table {TABLE}: deploy first, so that there is a governor"],
    )
    assert aws[1].entries == []
