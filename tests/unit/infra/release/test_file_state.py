import json
import subprocess
import sys

import pytest

from infra.release.file_state import mend

BEFORE, AFTER = ({"version": 4, "serial": serial, "resources": []} for serial in (7, 8))
WRITER = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path):
    """A state of two runs: what it is, and what it was before the last."""
    path = tmp_path / "local-churn.tfstate"
    path.write_text(json.dumps(AFTER))
    path.with_name("local-churn.tfstate.backup").write_text(json.dumps(BEFORE))
    return path


@pytest.mark.parametrize("torn", ["", '{"version": 4, "ser', "[]"], ids=["empty", "half", "of another kind"])
def test_a_state_that_was_torn_is_what_it_was_before_the_run(state, torn):
    state.write_text(torn)
    assert mend(state)
    assert json.loads(state.read_text()) == BEFORE
    assert sorted(path.name for path in state.parent.iterdir()) == [state.name, f"{state.name}.backup"]


def test_a_whole_state_is_left_alone(state):
    assert not mend(state)
    assert json.loads(state.read_text()) == AFTER


def test_without_a_whole_backup_nothing_is_guessed_at(state):
    state.write_text("")
    state.with_name(f"{state.name}.backup").write_text("{")
    assert not mend(state)
    state.with_name(f"{state.name}.backup").unlink()
    assert not mend(state)
    assert state.read_text() == ""


def test_where_nothing_was_deployed_there_is_nothing_to_mend(tmp_path):
    assert not mend(tmp_path / "local-churn.tfstate")


def test_a_state_that_terraform_is_writing_at_this_moment_is_left_to_it(state):
    state.write_text("")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        assert not mend(state)
        writer.communicate()
    assert mend(state)
