"""`sagestack explain-plan`: for the comment on a pull request, and for the nightly alarm."""

from pathlib import Path
from typing import Annotated

import typer

from infra.errors import CheckFailed
from infra.plan.document import read_plan
from infra.plan.explain import changes, explained

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Plans, as `terraform show -json` writes them.")]
ExpectNone = Annotated[bool, typer.Option("--expect-none", help="Exit 1 if anything would change.")]


def explain_plan(files: Files, *, expect_none: ExpectNone = False) -> None:
    """Say in plain words what plans would change, for which model, and with what downtime."""
    plans = [read_plan(path) for path in files]
    for plan in sorted(plans, key=lambda plan: (not changes(plan), plan.tags.get("model", ""))):
        typer.echo("\n".join(explained(plan)))
    changed = sum(bool(changes(plan)) for plan in plans)
    if expect_none and changed:
        raise CheckFailed(f"{changed} of {len(plans)} stacks are not as declared")
