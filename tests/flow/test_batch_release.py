"""A batch transform from its first deploy, killed at three moments, to a rollback: released as an endpoint is.

A chapter is a fixture, as in a model's life. A kill takes the command line with all of its group, as a closed window or
a cancelled workflow does; Terraform is in a terminal of its own.
"""

import json
from types import SimpleNamespace

import pytest

from tests.flow.life import CDKTF, MODEL, STACKS
from tests.flow.staging import KILLED, NOTHING, staged

pytestmark = pytest.mark.local_cloud
BATCH = """
endpoint: {kind: batch-transform, schedule: weekly}
monitoring: {drift: null, quality: null}
retraining: {on_drift: false}
"""
SCHEDULE = f"flow-local-{MODEL}-batch"


@pytest.fixture(scope="module")
def staging(new_project):
    with staged(new_project(), BATCH) as staging:
        yield staging


def scheduled(staging):
    """The name of the model in the request that the schedule sends."""
    return json.loads(staging.client("scheduler").get_schedule(Name=SCHEDULE)["Target"]["Input"])["ModelName"]


@pytest.fixture(scope="module")
def first(staging):
    """A first deploy is killed in its synth, between its two stacks, and while a role is created; then let be."""
    deploy = (CDKTF, "deploy", *STACKS, "--auto-approve")
    alone = (CDKTF, "deploy", STACKS[1], "--auto-approve", "--ignore-missing-stack-dependencies")
    exits = (
        staging.killed_in_synth(*deploy),
        staging.killed(*deploy, when=("Apply complete",)),
        staging.killed(*alone, when=("aws_iam_role.pipeline", "Creating")),
    )
    staging.deploy(STACKS[1])
    return SimpleNamespace(exits=exits, left=staging.left(*STACKS))


@pytest.fixture(scope="module")
def released(staging, first):
    """A first version is deployed; its schedule is then switched off by hand, to a request of another kind."""
    assert first.exits
    for name in ("v1", "v2"):
        staging.register(name)
    said, model = staging.promoted(1), scheduled(staging)
    scheduler = staging.client("scheduler")
    target = (live := scheduler.get_schedule(Name=SCHEDULE))["Target"]
    target["Input"] = json.dumps(json.loads(target["Input"]) | {"MaxPayloadInMB": 1})
    kept = {name: live[name] for name in ("ScheduleExpression", "FlexibleTimeWindow")}
    scheduler.update_schedule(Name=SCHEDULE, State="DISABLED", Target=target, **kept)
    return SimpleNamespace(said=said, model=model, changed=staging.sagestack("verify", MODEL))


@pytest.fixture(scope="module")
def rolled_back(staging, released):
    """A second version is deployed, and rolled back."""
    assert released.said
    second, model = staging.promoted(2), scheduled(staging)
    return SimpleNamespace(
        second=second,
        second_model=model,
        said=staging.sagestack("rollback", MODEL),
        model=scheduled(staging),
        receipts=staging.must("receipts", MODEL),
    )


def test_a_first_deploy_killed_in_its_synth_between_stacks_and_amid_its_roles_is_finished_by_the_next(first):
    assert first.exits == (KILLED, KILLED, KILLED)
    assert first.left == NOTHING


def test_a_batch_transform_is_verified_when_it_was_deployed(released):
    code, out, err = released.said
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"{MODEL} in local is live as declared: {released.model}"


def test_what_was_changed_by_hand_is_told_in_a_line_each(released):
    code, _, err = released.changed
    assert code == 1
    assert err.splitlines() == [
        f"{MODEL} in local is not as declared:",
        "  schedule: declared ENABLED, live DISABLED",
        "  request's MaxPayloadInMB: declared 6, live 1",
    ]


def test_the_next_deploy_mends_it_and_schedules_the_next_version(rolled_back, released):
    code, _, err = rolled_back.second
    assert (code, err) == (0, "")
    assert rolled_back.second_model != released.model


def test_a_rollback_schedules_the_version_before_and_verifies_it(rolled_back, released):
    code, out, err = rolled_back.said
    assert (code, err) == (0, "")
    assert f"{MODEL} is back at version 1" in out
    assert rolled_back.model == released.model


def test_each_deploy_of_a_batch_transform_has_its_receipt(rolled_back):
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in rolled_back.receipts.splitlines()]
    told = [(row[2], row[3], row[5][:3]) for row in rows if len(row) == 6 and row[3]]
    assert told == [("2", "1", "yes"), ("1", "2", "yes"), ("1", "1", "no:"), ("nothing", "1", "yes")]
