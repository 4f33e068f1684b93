"""The command lines that infrastructure is deployed with: node, the CDKTF command lines, Terraform or OpenTofu."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from infra.errors import UserError

PROJECT: Final = Path(__file__).resolve().parents[1]
BINARIES: Final = Path(sys.prefix, "bin")
TERRAFORM_VARIABLE: Final = "TERRAFORM_BINARY_NAME"
"""The CDKTF command lines' own variable: `tofu`, or a path."""
CLI_CONFIG_VARIABLE: Final = "TF_CLI_CONFIG_FILE"
STEADY_TERRAFORM: Final = PROJECT / "infra/steady_terraform.sh"
"""Terraform that is not hung up when the command line is killed, and waits for the lock of one that was."""
STEADIED_VARIABLE: Final = "SAGESTACK_TERRAFORM"
"""Whom it stands for."""
LAST_LINES: Final = 30

Cli = Literal["cdktf", "cdktn"]


class ToolMissing(UserError):  # noqa: N818 - a state of the machine
    """A tool is not installed; the message says how to get it."""


class ToolFailed(UserError):  # noqa: N818 - the tool's error, passed on
    """A tool ended with an error; the message has its last words."""

    exit_code = 1


@dataclass(frozen=True)
class Tool:
    """An installed tool: its file, and its version as numbers."""

    path: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.version))} ({self.path})"


def node() -> Tool | None:
    """The environment's own node, or else the machine's."""
    path = shutil.which("node", path=_search_path())
    return Tool(path, _numbers(_answer(path, "--version"))) if path else None


def terraform() -> str:
    """Terraform's file, or OpenTofu's where only that is installed or TERRAFORM_BINARY_NAME says so.

    Raises:
        ToolMissing: neither is installed.
    """
    chosen = os.environ.get(TERRAFORM_VARIABLE)
    found = next(filter(None, map(shutil.which, [chosen] if chosen else ["terraform", "tofu"])), None)
    if found is None:
        raise ToolMissing(
            f"{chosen or 'terraform'} is not installed: https://developer.hashicorp.com/terraform/install, "
            "or OpenTofu: https://opentofu.org/docs/intro/install"
        )
    return found


def terraform_version(path: str) -> Tool:
    """The version of a Terraform or an OpenTofu."""
    return Tool(path, _numbers(json.loads(_answer(path, "version", "-json"))["terraform_version"]))


def cli(name: Cli) -> Path:
    """The file of a CDKTF command line.

    Raises:
        ToolMissing: `npm ci` has not run.
    """
    path = PROJECT / "node_modules" / ".bin" / name
    if not path.exists():
        raise ToolMissing(f"{name} is not installed (no {path.relative_to(PROJECT)}): make set-up")
    return path


def cdktf(
    arguments: Sequence[str],
    *,
    name: Cli = "cdktf",
    folder: Path | None = None,
    log: Path | None = None,
    variables: Mapping[str, str] | None = None,
    started: Callable[[subprocess.Popen[bytes]], None] | None = None,
    steady: bool = False,
) -> None:
    """Runs `cdktf` (or `cdktn`) as a user would type it.

    Args:
        arguments: What comes after the name: `["deploy", "local-platform", "--auto-approve"]`.
        name: Which of the two command lines.
        folder: Where `cdktf.json` is; the working folder by default.
        log: Where the output goes, appended; by default it shows as it comes.
        variables: Set for this run beside the environment's own.
        started: Told of the process, which is then in a session of its own: for who must end it with all it starts.
        steady: Whether Terraform goes on to the end of an apply should the command line be killed, and the next one
            waits for it.

    Raises:
        ToolMissing: node, the command line or Terraform is not installed.
        ToolFailed: it ended with an error.
    """
    command = [str(cli(name)), *arguments, "--no-color"]
    environment = _environment() | (_steadied() if steady else {}) | dict(variables or {})
    with _output(log, f"$ {name} {' '.join(arguments)}\n") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=started is not None,
        )
        with process:
            if started:
                started(process)
            code = _ended(process)
    if code:
        raise ToolFailed(f"{name} {' '.join(arguments)} failed ({code}){_last_words(log)}")


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code. Ctrl-C is passed on where a session of its own keeps it away; what is under way may end."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):  # it has ended at this moment
            if os.getpgid(process.pid) != os.getpgrp():
                process.send_signal(signal.SIGINT)
        process.wait()
        raise


@contextmanager
def _output(log: Path | None, title: str) -> Iterator[IO[str] | None]:
    """The log, with the command on its first line; None, the caller's own output, without one."""
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(title)
        file.flush()
        yield file


def _environment() -> dict[str, str]:
    """The caller's environment, made so that the command lines find their tools and print plain lines."""
    kept = {name: value for name, value in os.environ.items() if name != CLI_CONFIG_VARIABLE or Path(value).exists()}
    return kept | {
        "PATH": _search_path(),
        "CI": "1",
        "CHECKPOINT_DISABLE": "1",
        TERRAFORM_VARIABLE: terraform(),
    }


def _steadied() -> dict[str, str]:
    """Nothing where the caller's Terraform is the steady one already: it must not stand for itself."""
    found = terraform()
    if STEADY_TERRAFORM.samefile(found):
        return {}
    return {STEADIED_VARIABLE: found, TERRAFORM_VARIABLE: str(STEADY_TERRAFORM)}


def _search_path() -> str:
    return os.pathsep.join([str(BINARIES), os.environ.get("PATH", os.defpath)])


def _answer(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolFailed(f"{command[0]} is there, but does not run: {error}") from error


def _numbers(version: str) -> tuple[int, ...]:
    """`v22.20.0` and `1.11.0-beta1` as numbers."""
    return tuple(int(part) for part in version.strip().lstrip("v").split("-")[0].split("."))


def _last_words(log: Path | None) -> str:
    if log is None:
        return ""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return "; the end of {}:\n{}".format(log, "\n".join(lines[-LAST_LINES:]))
