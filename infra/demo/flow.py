"""Provision, and undo: the demo's own use of `cdktf` and Terraform, as a user would type them."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra import toolchain

STACKS = Path("cdktf.out/stacks")
LESS_COLLECTING = {"GOGC": "400"}
"""The AWS provider spends a quarter of its start collecting garbage; with none at all it is slower again."""


def deploy(*stacks: str, log: Path) -> None:
    """`npx cdktf deploy`, without asking; each stack after the ones it depends on."""
    toolchain.cdktf(["deploy", *stacks, "--auto-approve"], log=log, variables=LESS_COLLECTING)


def deploy_alone(stack: str, log: Path) -> None:
    """Deploy one stack, the ones it depends on being as they should."""
    toolchain.cdktf(
        ["deploy", stack, "--auto-approve", "--ignore-missing-stack-dependencies"], log=log, variables=LESS_COLLECTING
    )


def destroy(*stacks: str, log: Path) -> None:
    """`npx cdktf destroy`, without asking."""
    toolchain.cdktf(["destroy", *stacks, "--auto-approve"], log=log, variables=LESS_COLLECTING)


def planned_changes(*stacks: str) -> int:
    """How many resources a second plan would change: 0 if what was applied is what is declared."""
    with ThreadPoolExecutor() as side_by_side:
        return sum(side_by_side.map(_planned_changes, stacks))


def _planned_changes(stack: str) -> int:
    messages = map(json.loads, _terraform(stack, "plan", "-input=false", "-json").splitlines())
    changes = next(message["changes"] for message in messages if message["type"] == "change_summary")
    return int(changes["add"] + changes["change"] + changes["remove"])


def _terraform(stack: str, *arguments: str) -> bytes:
    done = subprocess.run(
        [toolchain.terraform(), *arguments],
        cwd=STACKS / stack,
        env=os.environ | LESS_COLLECTING,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise toolchain.ToolFailed(f"terraform {arguments[0]} of {stack} failed: {done.stderr.decode().strip()}")
    return done.stdout
