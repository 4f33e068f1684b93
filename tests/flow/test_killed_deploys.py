"""Deploys killed outright at five moments, and run again: what was begun is finished, once, and nothing is orphaned.

A chapter is a fixture, as in a model's life. Each kill takes the command line with all of its group, as a closed window
or a cancelled workflow does; Terraform is in a terminal of its own.
"""

import signal
from types import SimpleNamespace

import pytest

from tests.flow.conftest import CDKTF, MODEL, SAGESTACK
from tests.flow.staging import staged

pytestmark = pytest.mark.local_cloud
PLATFORM, STACK = "local-platform", f"local-{MODEL}"
KILLED = -signal.SIGKILL
NOTHING = SimpleNamespace(changes="", orphans=[], processes=[])


@pytest.fixture(scope="module")
def staging(new_project):
    with staged(new_project()) as staging:
        yield staging


def left(staging, *stacks):
    """What there is to change in these stacks, exists in no state, or still runs, once a deploy has ended."""
    return SimpleNamespace(
        changes="".join(map(staging.changes, stacks)),
        orphans=staging.orphans(PLATFORM, STACK),
        processes=staging.processes(),
    )


@pytest.fixture(scope="module")
def first(staging):
    """A first deploy is killed in its synth, between its two stacks, and while a role is created; then let be."""
    deploy = (CDKTF, "deploy", PLATFORM, STACK, "--auto-approve")
    exits = (
        staging.killed_in_synth(*deploy),
        staging.killed(*deploy, when=("Apply complete",)),
        staging.killed(*deploy, when=("aws_iam_role.pipeline", "Creating")),
    )
    staging.deploy(PLATFORM, STACK)
    return SimpleNamespace(exits=exits, left=left(staging, PLATFORM, STACK))


@pytest.fixture(scope="module")
def released(staging, first):
    """One version is live; the deploy of a second is killed while the endpoint changes, and deployed again."""
    assert first.exits
    for name in ("v1", "v2"):
        staging.register(name)
    live = staging.promoted(1)
    staging.must("promote", MODEL, "2")
    exit_ = staging.killed(SAGESTACK, "deploy", MODEL, when=("aws_sagemaker_endpoint.", "Modifying"))
    said = staging.sagestack("deploy", MODEL)
    return SimpleNamespace(live=live, exit=exit_, said=said, left=left(staging, STACK), answers=staging.answers())


@pytest.fixture(scope="module")
def rolled_back(staging, released):
    """The rollback is killed when Terraform has ended and nothing is verified yet, and asked for again."""
    assert released.exit
    exit_ = staging.killed(SAGESTACK, "rollback", MODEL, when=("Apply complete",))
    said = staging.sagestack("rollback", MODEL)
    return SimpleNamespace(exit=exit_, said=said, left=left(staging, STACK), answers=staging.answers())


def test_a_first_deploy_killed_in_its_synth_between_stacks_and_amid_its_roles_is_finished_by_the_next(first):
    assert first.exits == (KILLED, KILLED, KILLED)
    assert first.left == NOTHING


def test_a_deploy_killed_while_the_endpoint_changes_is_finished_by_the_next_and_verified(released):
    assert released.live[0] == 0, released.live
    assert released.exit == KILLED
    assert released.said[0] == 0, released.said
    assert f"{MODEL} in local is live as declared" in released.said[1]
    assert released.answers == {"v2"}
    assert released.left == NOTHING


def test_a_rollback_killed_before_it_is_verified_is_finished_by_the_next_and_goes_no_further_back(rolled_back):
    assert rolled_back.exit == KILLED
    assert rolled_back.said[0] == 0, rolled_back.said
    assert f"{MODEL} is back at version 1" in rolled_back.said[1]
    assert rolled_back.answers == {"v1"}
    assert rolled_back.left == NOTHING
