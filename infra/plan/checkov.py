"""checkov's rules, on plans: several hundred, among them cloudsplaining's on IAM policies.

It lives in an environment of its own (`requirements/policy.lock`), since its dependencies are nobody else's.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from infra.errors import CheckFailed
from infra.plan.finding import Finding
from infra.plan.offline import Plan
from infra.toolchain import PROJECT, ToolMissing

CHECKOV: Final = PROJECT / ".venvs/policy/bin/checkov"
OPTIONS: Final = ("--framework", "terraform_plan", "--output", "json", "--quiet", "--compact", "--skip-download")
FOUND: Final = 1
"""checkov's exit code if a check failed."""


def checkov_findings(plans: Iterable[Plan], program: Path = CHECKOV) -> list[Finding]:
    """What checkov finds in plans.

    Raises:
        ToolMissing: it is not installed.
        CheckFailed: it gave no answer, or could not read a plan.
    """
    if not program.exists():
        raise ToolMissing(f"checkov is not installed (no {program}): make policy")
    with tempfile.TemporaryDirectory() as folder:
        for plan in plans:
            shutil.copy(plan.path, Path(folder, f"{plan.stack}.json"))
        command = [str(program), "--directory", folder, *OPTIONS]
        quiet = os.environ | {"LOG_LEVEL": "ERROR"}
        answer = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if answer.returncode not in {0, FOUND}:
        raise CheckFailed(f"checkov ended with {answer.returncode}:\n{answer.stderr.strip()}")
    return findings(answer.stdout)


def findings(answer: str) -> list[Finding]:
    """What checkov answered as findings.

    Raises:
        CheckFailed: nothing was checked, or a plan could not be read.
    """
    report: dict[str, Any] = json.loads(answer)
    if not report.get("summary", {}).get("resource_count") or report["summary"]["parsing_errors"]:
        raise CheckFailed(f"checkov could not read the plans: {answer[:500]}")
    return sorted({_finding(one) for one in report["results"]["failed_checks"]})


def _finding(check: dict[str, Any]) -> Finding:
    resource = f"{Path(check['file_path']).stem}/{check['resource']}"
    return Finding(check["check_id"], resource, check["check_name"])
