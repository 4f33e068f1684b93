"""`sagestack policy`: is what would be deployed as safe as it is meant to be?"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from infra.config import environment_names, load_project, load_waivers, project_root
from infra.errors import CheckFailed
from infra.plan.checkov import checkov_findings
from infra.plan.finding import Finding
from infra.plan.offline import plans
from infra.plan.policy import policy_findings
from infra.plan.waiving import judge


def policy(
    environment: Annotated[
        str | None, typer.Option("--env", help="Environment; all unless given.", show_default=False)
    ] = None,
) -> None:
    """Plan every stack without an account, and hold checkov's rules and the project's own against the plans."""
    root = project_root()
    waivers = load_waivers(root)
    findings: list[Finding] = []
    for name in [environment] if environment else environment_names(root):
        found = _findings(name, root)
        typer.echo(f"{name}: {len(found)} findings")
        findings.extend(found)
    verdict = judge(findings, waivers, today=datetime.now(UTC).date())
    for waiver, count in Counter(waiver for _, waiver in verdict.waived).items():
        times = "one finding" if count == 1 else f"{count} findings"
        typer.echo(f"{waiver.rule} is waived until {waiver.expires} ({times}): {waiver.reason} ({waiver.owner})")
    if problems := list(verdict.problems(everywhere=environment is None)):
        raise CheckFailed("\n".join(problems))
    typer.echo(f"✓ every rule holds, {len(verdict.waived)} findings are waived")


def _findings(environment: str, root: Path) -> list[Finding]:
    with TemporaryDirectory(prefix="sagestack-policy-") as folder:
        planned = plans(load_project(environment, root), Path(folder))
        return [*policy_findings(planned), *checkov_findings(planned)]
