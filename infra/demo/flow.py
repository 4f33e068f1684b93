"""Provision, and undo: the demo's own use of `cdktf` and Terraform, as a user would type them."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra import toolchain
from infra.processes import Children

STACKS = Path("cdktf.out/stacks")
LESS_COLLECTING = {"GOGC": "400"}
"""The AWS provider spends a quarter of its start collecting garbage; with none at all it is slower again."""


CHILDREN = Children()
"""What the demo starts ends with it, even by SIGKILL: a deploy that went on alone would meet the next run's."""


def deploy(*stacks: str, log: Path) -> None:
    """`npx cdktf deploy`, without asking; each stack after the ones it depends on."""
    _cdktf("deploy", *stacks, log=log)


def deploy_alone(stack: str, log: Path) -> None:
    """Deploy one stack, the ones it depends on being as they should."""
    _cdktf("deploy", stack, "--ignore-missing-stack-dependencies", log=log)


def destroy(*stacks: str, log: Path) -> None:
    """`npx cdktf destroy`, without asking, of what was synthesised for the last deploy."""
    _cdktf("destroy", *stacks, "--skip-synth", log=log)


def _cdktf(*arguments: str, log: Path) -> None:
    toolchain.cdktf([*arguments, "--auto-approve"], log=log, variables=LESS_COLLECTING, started=CHILDREN.add)


def planned_changes(*stacks: str) -> int:
    """How many resources a second plan would change: 0 if what was applied is what is declared."""
    with ThreadPoolExecutor() as side_by_side:
        return sum(side_by_side.map(_planned_changes, stacks))


def _planned_changes(stack: str) -> int:
    done = subprocess.run(
        [toolchain.terraform(), "plan", "-input=false", "-json"],
        cwd=STACKS / stack,
        env=os.environ | LESS_COLLECTING,
        capture_output=True,
        check=False,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        said = [message["@message"] for message in messages if message.get("@level") == "error"]
        raise toolchain.ToolFailed(
            "\n".join([f"terraform plan of {stack} failed", *said, done.stderr.decode()]).strip()
        )
    changes = next(message["changes"] for message in messages if message["type"] == "change_summary")
    return int(changes["add"] + changes["change"] + changes["remove"])
