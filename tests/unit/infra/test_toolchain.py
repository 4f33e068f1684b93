import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra import toolchain
from infra.toolchain import ToolFailed, ToolMissing


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program on the PATH, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain, "BINARIES", tmp_path)
    monkeypatch.delenv(toolchain.TERRAFORM_VARIABLE, raising=False)

    def make(name, code):
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\n{code}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def command_line(program, tmp_path, monkeypatch):
    """Make a cdktf that runs `code`, and a Terraform beside it."""
    monkeypatch.setattr(toolchain, "PROJECT", tmp_path)
    (tmp_path / "node_modules/.bin").mkdir(parents=True)
    program("terraform", "")
    return lambda code: program("node_modules/.bin/cdktf", code)


def test_terraform_is_preferred_to_opentofu(program):
    program("tofu", "")
    terraform = program("terraform", "")
    assert toolchain.terraform() == terraform


def test_opentofu_is_taken_where_there_is_no_terraform_or_where_it_is_asked_for(program, monkeypatch):
    tofu = program("tofu", "")
    assert toolchain.terraform() == tofu
    program("terraform", "")
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    assert toolchain.terraform() == tofu


@pytest.mark.usefixtures("program")
def test_where_there_is_neither_the_way_to_get_one_is_told():
    with pytest.raises(ToolMissing, match=r"terraform is not installed: https://.*OpenTofu: https://"):
        toolchain.terraform()


def test_versions_are_numbers(program):
    path = program("terraform", """print('{"terraform_version": "1.12.0-beta1"}')""")
    program("node", "print('v22.20.0')")
    assert toolchain.terraform_version(path).version == (1, 12, 0)
    node = toolchain.node()
    assert node is not None
    assert node.version == (22, 20, 0)


def test_a_tool_that_does_not_run_is_told_apart_from_one_that_is_not_there(program):
    path = program("terraform", "raise SystemExit(3)")
    with pytest.raises(ToolFailed, match="is there, but does not run"):
        toolchain.terraform_version(path)


@pytest.mark.usefixtures("program")
def test_a_command_line_that_is_not_installed_is_named_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(toolchain, "PROJECT", tmp_path)
    with pytest.raises(ToolMissing, match=r"cdktf is not installed \(no node_modules/\.bin/cdktf\): make set-up"):
        toolchain.cdktf(["synth"])


def test_a_run_goes_to_the_log_after_what_was_typed(command_line, tmp_path):
    command_line("import sys; print(sys.argv[1:])")
    log = tmp_path / "logs" / "cdktf.log"
    toolchain.cdktf(["deploy", "a"], log=log)
    toolchain.cdktf(["destroy", "a"], log=log)
    assert log.read_text().splitlines() == [
        "$ cdktf deploy a",
        "['deploy', 'a', '--no-color']",
        "$ cdktf destroy a",
        "['destroy', 'a', '--no-color']",
    ]


def test_a_run_that_fails_ends_with_the_tools_last_words(command_line, tmp_path):
    command_line("import sys; print('no such stack'); sys.exit(4)")
    with pytest.raises(ToolFailed, match=r"(?s)cdktf deploy a failed \(4\); the end of .*no such stack"):
        toolchain.cdktf(["deploy", "a"], log=tmp_path / "log")
    assert ToolFailed.exit_code == 1


def test_a_terraform_configuration_that_does_not_exist_is_not_passed_on(command_line, tmp_path, monkeypatch):
    command_line("import os; print(os.environ.get('TF_CLI_CONFIG_FILE'), os.environ['X'])")
    log = tmp_path / "log"
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "missing"))
    toolchain.cdktf([], log=log, variables={"X": "1"})
    assert log.read_text().endswith("None 1\n")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", os.devnull)
    toolchain.cdktf([], log=log, variables={"X": "1"})
    assert log.read_text().endswith(f"{os.devnull} 1\n")


IN_A_TERMINAL = """
import os, pty, signal
pid, terminal = pty.fork()
if not pid:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # below nohup it would be ignored
    os.execlp(os.environ["TERRAFORM_BINARY_NAME"], "terraform", "apply")
while os.read(terminal, 100):
    pass
"""
APPLY = """
import pathlib, sys, time
folder = pathlib.Path(__file__).parent
(folder / "begun").touch()
while not (folder / "go").exists():
    time.sleep(0.02)
(folder / "applied").write_text(sys.argv[1])
"""
DEPLOY = """
import sys
from pathlib import Path
from infra import toolchain
toolchain.PROJECT = toolchain.BINARIES = Path(sys.argv[1])
toolchain.cdktf(["deploy"], steady=sys.argv[2] == "steady")
"""


@pytest.mark.parametrize("how", ["steady", "as it is"])
def test_an_apply_that_has_begun_is_hung_up_with_its_command_line_unless_it_is_steady(
    command_line, program, tmp_path, how
):
    command_line(IN_A_TERMINAL)
    program("terraform", APPLY)
    search = {"PATH": f"{tmp_path}:{os.defpath}", "PYTHONPATH": str(Path(toolchain.__file__).parents[1])}
    command = [sys.executable, "-c", DEPLOY, tmp_path, how]
    with subprocess.Popen(command, env=search, start_new_session=True) as deploy:
        _wait_for(tmp_path / "begun")
        os.killpg(deploy.pid, signal.SIGKILL)
    time.sleep(0.2)  # the terminal is hung up by then
    (tmp_path / "go").touch()
    is_steady = how == "steady"
    assert _wait_for(tmp_path / "applied", seconds=10 if is_steady else 0.5) is is_steady


INTERRUPTED = """
import signal, sys, pathlib
folder = pathlib.Path(__file__).parent
signal.signal(signal.SIGINT, lambda *_: sys.exit((folder / "stopped").touch()))
(folder / "begun").touch()
signal.pause()
"""
DEPLOY_ALONE = DEPLOY.replace('steady=sys.argv[2] == "steady"', "started=print")


def test_ctrl_c_reaches_a_command_line_in_a_session_of_its_own_which_may_end_what_is_under_way(command_line, tmp_path):
    folder = Path(command_line(INTERRUPTED)).parent
    search = {"PATH": f"{tmp_path}:{os.defpath}", "PYTHONPATH": str(Path(toolchain.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", DEPLOY_ALONE, tmp_path], env=search, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as deploy:
        assert _wait_for(folder / "begun")
        deploy.send_signal(signal.SIGINT)
    assert (folder / "stopped").exists()


def _wait_for(path, seconds=10):
    deadline = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.exists()


def test_a_steady_terraform_waits_for_the_lock_of_another_unless_it_is_told_how_long(
    command_line, program, tmp_path, monkeypatch
):
    command_line("import os; os.execlp(os.environ['TERRAFORM_BINARY_NAME'], 'terraform', 'apply')")
    program("terraform", "import os; print(os.environ['TF_CLI_ARGS_apply'], os.environ['TF_CLI_ARGS_destroy'])")
    log = tmp_path / "log"
    monkeypatch.setenv("TF_CLI_ARGS_destroy", "-lock-timeout=5m")
    toolchain.cdktf([], log=log, steady=True)
    assert log.read_text().endswith("-lock-timeout=60s -lock-timeout=5m\n")


def test_a_terraform_that_is_steady_already_does_not_stand_for_itself(command_line, program, tmp_path, monkeypatch):
    command_line("import os; os.execlp(os.environ['TERRAFORM_BINARY_NAME'], 'terraform', 'apply')")
    program("terraform", "print('applied')")
    monkeypatch.setenv(toolchain.TERRAFORM_VARIABLE, str(toolchain.STEADY_TERRAFORM))
    log = tmp_path / "log"
    toolchain.cdktf([], log=log, steady=True)
    assert log.read_text().endswith("applied\n")
