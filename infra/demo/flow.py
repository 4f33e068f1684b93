"""Provision, and undo: the demo's own use of `cdktf` and Terraform, as a user would type them."""

import json
import subprocess
from pathlib import Path

from infra import toolchain

STACKS = Path("cdktf.out/stacks")


def deploy(*stacks: str, log: Path) -> None:
    """`npx cdktf deploy`, without asking; each stack after the ones it depends on."""
    toolchain.cdktf(["deploy", *stacks, "--auto-approve"], log=log)


def deploy_alone(stack: str, log: Path) -> None:
    """Deploy one stack, the ones it depends on being as they should."""
    toolchain.cdktf(["deploy", stack, "--auto-approve", "--ignore-missing-stack-dependencies"], log=log)


def destroy(*stacks: str, log: Path) -> None:
    """`npx cdktf destroy`, without asking."""
    toolchain.cdktf(["destroy", *stacks, "--auto-approve"], log=log)


def planned_changes(stack: str) -> int:
    """How many resources a second plan would change: 0 if what was applied is what is declared."""
    terraform = toolchain.terraform()
    folder = STACKS / stack
    subprocess.run(
        [terraform, "plan", "-input=false", "-no-color", "-out=again.tfplan"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    shown = subprocess.run([terraform, "show", "-json", "again.tfplan"], cwd=folder, check=True, capture_output=True)
    changes = json.loads(shown.stdout).get("resource_changes", [])
    return sum(change["change"]["actions"] not in (["no-op"], ["read"]) for change in changes)
