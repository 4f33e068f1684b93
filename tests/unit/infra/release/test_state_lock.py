"""A state's lock is told by who holds it now: what a Terraform that was killed left beside a file is no lock."""

import json
import subprocess
import sys

import pytest

from infra.config import load_environment
from infra.release.state_lock import told_lock

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""
INFO = {"ID": "4f5e", "Operation": "OperationTypeApply", "Who": "ada@desk", "Created": "2026-11-28 17:00:00 +0000 UTC"}


@pytest.fixture
def project(new_project):
    return new_project()


@pytest.fixture
def state(project):
    """A state, and what Terraform writes beside it when it locks it."""
    path = project.folder / "build/local/state/local-churn.tfstate"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    path.with_name(".local-churn.tfstate.lock.info").write_text(json.dumps(INFO))
    return path


@pytest.fixture
def told(project):
    return lambda: told_lock(load_environment("local", project.root), project.folder, "local-churn")


@pytest.fixture
def terraform(state):
    """Another process has the state's lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        yield holder


def test_where_nothing_was_deployed_nobody_holds_a_lock(told):
    assert told() == ""


def test_who_changes_the_state_now_is_told_with_since_when_and_what_to_do(told, terraform):
    assert terraform.poll() is None
    assert told() == (
        "\nThe state of local-churn is locked by ada@desk since 2026-11-28 17:00:00 +0000 UTC (OperationTypeApply). "
        "That run goes on: wait for its end, and run this again."
    )


@pytest.mark.usefixtures("state")
def test_what_a_killed_terraform_left_beside_the_file_is_no_lock(told):
    assert told() == ""


def test_a_lock_that_is_just_being_written_is_not_guessed_at(told, state, terraform):
    assert terraform.poll() is None
    state.with_name(".local-churn.tfstate.lock.info").write_text('{"ID": "4f')
    assert told() == ""
