"""What people see of the governor's decisions, and how they hold it."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from infra import cli, retraining
from monitoring.governor.ledger import Ledger
from monitoring.governor.rules import Decision

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
        monkeypatch.setattr(retraining, "client", lambda _, service: {"dynamodb": dynamodb, "events": bus}[service])
        monkeypatch.setenv("COLUMNS", "200")
        yield dynamodb, bus


class Bus:
    """As much of EventBridge as a request takes."""

    def __init__(self):
        self.entries = []

    def put_events(self, *, Entries):  # noqa: N803 - EventBridge's name
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{}]}


@pytest.fixture
def run(capsys, new_project, monkeypatch):
    monkeypatch.setenv("SAGESTACK_ROOT", str(new_project().root))

    def run(*args):
        with pytest.raises(SystemExit) as caught:
            cli.main(list(args))
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return run


def test_decisions_are_listed_newest_first_with_who_asked_and_why_not(aws, run):
    ledger = Ledger(aws[0], TABLE)
    for day, start in ((1, True), (9, False)):
        decision = Decision(start=start, reason=f"reason {day}", started_by="drift")
        ledger.record(decision, f"event-{day}", datetime(2013, 7, day, 6, tzinfo=UTC), None)
    code, out, _ = run("retraining", "flight-delay")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert code == 0
    assert rows == [
        ["2013-07-09T06:00:00Z", "drift", "not started", "reason 9"],
        ["2013-07-01T06:00:00Z", "drift", "started", "reason 1"],
    ]
    assert "reason 1" not in run("retraining", "flight-delay", "--last", "1")[1]


def test_a_hold_is_what_the_governor_reads_until_it_is_released(aws, run):
    ledger = Ledger(aws[0], TABLE)
    assert run("hold", "flight-delay", "--why", "labels are wrong", "--by", "ada")[0] == 0
    assert ledger.hold().startswith("labels are wrong (ada, 20")
    assert "by ada: labels are wrong" in run("retraining", "flight-delay")[1]
    assert run("resume", "flight-delay")[0] == 0
    assert ledger.hold() is None
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
