import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import cli
from infra.errors import CheckFailed, UserError

PROJECT = Path(__file__).parents[3]
SLOW = ("cdktf", "cdktn", "boto3", "botocore", "moto", "polars", "lightgbm", "numpy")


@pytest.fixture
def run(monkeypatch, in_process):
    """Run the command line in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("SAGESTACK_ENV", raising=False)
    monkeypatch.delenv("SAGESTACK_ROOT", raising=False)
    return in_process


@pytest.fixture
def command(monkeypatch):
    """Put a function in the table of commands under the name `doctor`."""

    def replace(function):
        monkeypatch.setattr(sys.modules[__name__], "replaced", function, raising=False)
        monkeypatch.setattr(cli, "COMMANDS", (("doctor", f"{__name__}:replaced", "Try."),))

    return replace


def fresh(*args):
    """Run the command line in a process of its own, and report what it imported."""
    script = f"""
import json, sys, time
from infra.cli import main
try:
    main({list(args)!r})
except SystemExit as exit:
    print(json.dumps([exit.code or 0, time.process_time(), sorted(sys.modules)]))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SAGESTACK_")}
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def test_validate_ticks_every_model_in_every_environment(run):
    code, out, _ = run("validate")
    assert code == 0
    assert out.startswith("✓ flight-delay (")


def test_validate_is_quick_and_waits_for_no_library_of_other_commands():
    code, seconds, modules = fresh("validate")
    assert code == 0
    assert seconds < 1
    assert not {module.split(".")[0] for module in modules} & set(SLOW)


def test_help_lists_every_command_and_imports_none():
    code, _, modules = fresh("--help")
    assert code == 0
    assert not {target.split(":")[0] for _, target, _ in cli.COMMANDS} & set(modules)


def test_help_says_what_each_command_does(run):
    _, out, _ = run("--help")
    for name, _, help_line in cli.COMMANDS:
        assert name in out
        assert help_line.split(",")[0][:30] in out


def test_a_wrong_file_gives_its_problems_without_a_traceback_and_exit_code_2(run, tmp_path, monkeypatch):
    for folder in ("models", "environments"):
        (tmp_path / folder).mkdir()
    (tmp_path / "environments/local.yaml").write_bytes((PROJECT / "infra/environments/local.yaml").read_bytes())
    good = (PROJECT / "infra/models/flight-delay.yaml").read_text()
    (tmp_path / "models/flight-delay.yaml").write_text(good)
    (tmp_path / "models/churn.yaml").write_text(good.replace("owner:", "owners:"))
    monkeypatch.setenv("SAGESTACK_ROOT", str(tmp_path))
    code, out, err = run("validate")
    assert code == 2
    assert out == "✓ flight-delay (local)\n"
    assert "models/churn.yaml:4: owners is not a known key: did you mean owner?" in err
    assert 'models/churn.yaml:3: name is "flight-delay" but the file is churn.yaml' in err
    assert "Traceback" not in err


def test_one_model_can_be_validated_in_one_environment(run):
    assert run("validate", "flight-delay", "--env", "local")[:2] == (0, "✓ flight-delay (local)\n")
    code, _, err = run("validate", "flight-dely")
    assert (code, "did you mean flight-delay?" in err) == (2, True)


def test_validate_reads_release_locks_too(run, tmp_path, monkeypatch):
    for path in ("environments/local.yaml", "models/flight-delay.yaml"):
        copy = tmp_path / "infra" / path
        copy.parent.mkdir(parents=True)
        copy.write_bytes((PROJECT / "infra" / path).read_bytes())
    lock = tmp_path / "build/local/releases/flight-delay.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    monkeypatch.setenv("SAGESTACK_ROOT", str(tmp_path / "infra"))
    code, out, err = run("validate")
    assert (code, out) == (2, "")
    assert "flight-delay.json:1: current is missing" in err


def test_a_project_without_environments_is_told_to_add_one(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SAGESTACK_ROOT", str(tmp_path))
    code, _, err = run("validate")
    assert (code, "holds no environment" in err) == (2, True)


def test_show_prints_each_value_with_its_source(run):
    code, out, _ = run("show", "flight-delay", "--env", "local")
    assert code == 0
    assert "  # infra/models/flight-delay.yaml:" in out
    assert "  # default" in out


def test_schema_check_compares_and_writes_nothing(run):
    code, out, _ = run("schema", "--check")
    assert (code, out.count("✓")) == (0, 4)


def test_an_unknown_command_suggests_the_nearest(run):
    code, _, err = run("validat")
    assert code == 2
    assert "validate" in err


@pytest.mark.parametrize(("error", "code"), [(UserError, 2), (CheckFailed, 1)])
def test_a_users_mistake_anywhere_is_a_plain_message(run, command, error, code):
    def fail():
        raise error("do it so")

    command(fail)
    assert run("doctor") == (code, "", "do it so\n")


def test_a_function_that_returns_an_exit_code_sets_the_commands(run, command):
    command(lambda: 1)
    assert run("doctor")[0] == 1


def test_a_package_that_is_not_installed_is_named_with_the_way_to_get_it(run, monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", (("doctor", "not_installed:app", "Try."),))
    code, _, err = run("doctor")
    assert code == 2
    assert err.startswith("`sagestack doctor` needs the package not_installed, which is not installed: pip install ")


def test_a_module_of_ours_that_is_missing_is_no_users_mistake(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", (("doctor", "infra.nowhere:app", "Try."),))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["doctor"])
