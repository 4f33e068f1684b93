"""`sagestack doctor`: is everything here that sagestack needs, and if not, how to get it."""

import http.client
import shutil
import socket
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from infra import toolchain
from infra.config import load_environment
from infra.errors import UserError

OLDEST_PYTHON: Final = (3, 11)
OLDEST_NODE: Final = (22, 19)
FIRST_NODE_TOO_NEW: Final = (23,)
"""cdktf-cli 0.21 ships its terminal binding up to Node 22; cdktn-cli 0.24 wants 22.19 or newer."""
OLDEST_TERRAFORM: Final = (1, 10)
"""The first with locking in S3 itself (`use_lockfile`)."""
FREE_GB: Final = 3
"""Environments 1.5 GB, provider 0.7 GB, and what the demo builds."""
ANSWER_SECONDS: Final = 5
LOCAL: Final = "local"


@dataclass(frozen=True)
class Finding:
    """The answer of one check: what was found, and what to do where that is not enough."""

    found: str
    fix: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing needs doing."""
        return not self.fix


def python() -> Finding:
    """Python is new enough."""
    fix = "" if sys.version_info >= OLDEST_PYTHON else "install Python 3.11 or newer: https://www.python.org/downloads/"
    return Finding(sys.version.split()[0], fix)


def node() -> Finding:
    """Node is one that both CDKTF command lines run on."""
    tool = toolchain.node()
    if tool is None:
        return Finding("not installed", "make set-up")
    if OLDEST_NODE <= tool.version < FIRST_NODE_TOO_NEW:
        return Finding(str(tool))
    return Finding(str(tool), "needs 22.19 or newer, below 23: make set-up brings one")


def command_lines() -> Finding:
    """`npx cdktf` and `npx cdktn` are there."""
    return Finding(", ".join(toolchain.cli(name).name for name in ("cdktf", "cdktn")))


def terraform() -> Finding:
    """Terraform or OpenTofu is new enough."""
    tool = toolchain.terraform_version(toolchain.terraform())
    fix = (
        ""
        if tool.version >= OLDEST_TERRAFORM
        else "needs 1.10 or newer: https://developer.hashicorp.com/terraform/install"
    )
    return Finding(str(tool), fix)


def provider() -> Finding:
    """The AWS provider is mirrored on this machine, or its registry can be reached."""
    if toolchain.node() is None:
        return Finding("not looked for", "install node first")
    from infra.provider import mirror, schema  # noqa: PLC0415 - starts node

    version = schema.load().version
    if package := mirror.find_package(mirror.usual_mirrors()):
        return Finding(f"mirrored: {package}")
    host = schema.SOURCE.split("/")[0]
    try:
        with urllib.request.urlopen(f"https://{host}/.well-known/terraform.json", timeout=ANSWER_SECONDS):
            return Finding(f"{version} from {host}")
    except OSError as error:
        fix = f"connect to {host}, or put the provider into ~/.terraform.d/plugins (terraform providers mirror)"
        return Finding(f"{host} cannot be reached ({error})", fix)


def port() -> Finding:
    """The local cloud's port is free, or the local cloud has it."""
    address = urlsplit(load_environment(LOCAL).endpoint_url or "")
    host, number = address.hostname or "127.0.0.1", address.port or 80
    try:
        socket.create_connection((host, number), timeout=ANSWER_SECONDS).close()
    except ConnectionRefusedError:
        return Finding(f"{number} is free")
    connection = http.client.HTTPConnection(host, number, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/_sagestack/status")
        ours = connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        ours = False
    finally:
        connection.close()
    if ours:
        return Finding(f"the local cloud is up on {number}")
    return Finding(
        f"{number} is taken by another program", "stop it, or change endpoint_url in environments/local.yaml"
    )


def disk() -> Finding:
    """There is room."""
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    return Finding(f"{free_gb:.0f} GB free", "" if free_gb >= FREE_GB else f"needs {FREE_GB} GB")


CHECKS: Final[dict[str, Callable[[], Finding]]] = {
    "Python": python,
    "Node": node,
    "CDKTF command lines": command_lines,
    "Terraform": terraform,
    "AWS provider": provider,
    "Local cloud's port": port,
    "Disk": disk,
}


def examine() -> dict[str, Finding]:
    """Runs every check; one that cannot answer counts as failed."""
    return {what: _answer(check) for what, check in CHECKS.items()}


def main() -> int:
    """Prints a table of what was found; 1 if anything is missing, 0 otherwise."""
    findings = examine()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "check", "found", "fix"):
        table.add_column(column, overflow="fold")
    for what, finding in findings.items():
        mark = "[green]ok[/]" if finding.passed else "[red]missing[/]"
        table.add_row(mark, what, finding.found, finding.fix)
    Console(soft_wrap=True).print(table)
    return 0 if all(finding.passed for finding in findings.values()) else 1


def _answer(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UserError as error:
        return Finding("not usable", str(error))


if __name__ == "__main__":
    sys.exit(main())
