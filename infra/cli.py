"""The `sagestack` command.

Every command lives beside the code it drives and is imported when it is called, so that `sagestack validate` never
waits for cdktf, boto3 or moto. To add a command, add a line to COMMANDS: its name, `module:attribute` (a function with
typer's annotations, or a typer app with commands of its own), and the line that `sagestack --help` shows.
A function may return an exit code. A `UserError` becomes a plain message on standard error and its exit code.
"""

import atexit
import functools
import gc
import importlib
import sys
from collections.abc import Callable
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from infra.errors import UserError

COMMANDS: Final = (
    ("validate", "infra.config.commands:validate", "Check models and environments; every problem with its line."),
    (
        "show",
        "infra.config.commands:show",
        "Print a model as it is in an environment, and where each value comes from.",
    ),
    ("schema", "infra.config.commands:schema", "Write the JSON Schemas for editors and the reference of all keys."),
    ("doctor", "infra.doctor:main", "Check this machine's tools."),
    (
        "bootstrap",
        "infra.bootstrap.commands:bootstrap",
        "Make the state bucket and the roles that deploy.",
    ),
    ("environments", "infra.bootstrap.commands:environments", "List the environments that a GitHub repository plans."),
    ("cost", "infra.plan.cost.commands:cost", "Estimate what a model costs a month, from its file."),
    ("prices", "infra.plan.cost.price_list:read_prices", "Write a region's list prices from AWS's price list."),
    ("explain-plan", "infra.plan.commands:explain_plan", "Say in plain words what Terraform plans would change."),
    ("local", "infra.local.commands:app", "Run the local cloud."),
    ("serve", "infra.serve:serve", "Answer requests for a model artifact on this machine, as its endpoint would."),
    ("models", "infra.release.commands:models", "List a model's trained versions."),
    ("approve", "infra.release.commands:approve", "Approve a trained version."),
    ("promote", "infra.release.commands:promote", "Make an approved version the one that the next deploy serves."),
    ("preflight", "infra.release.commands:preflight", "Look before a deploy: is all there, could it be taken back?"),
    ("deploy", "infra.release.commands:deploy", "Look, deploy a model's stack, and verify."),
    ("rollback", "infra.release.commands:rollback", "Go back to the release before this one: lock, deploy, verify."),
    ("receipts", "infra.release.commands:receipts", "List a model's deploys: who, when, from what to what."),
    ("retire", "infra.release.commands:retire", "Delete a model's versions, so that its stack can be destroyed."),
    (
        "retraining",
        "infra.retraining.commands:retraining",
        "What would start a run now, what the governor decided, and why.",
    ),
    ("simulate", "infra.plan.simulate:simulate", "Replay windows against a model's rules for retraining."),
    ("retrain", "infra.retraining.commands:retrain", "Ask the governor for a training run."),
    ("hold", "infra.retraining.commands:hold", "Let nothing start a training run until `resume`."),
    ("resume", "infra.retraining.commands:resume", "Release a hold."),
    ("trail", "infra.trail:trail", "List who did what to what, and who was refused."),
    ("policy", "infra.plan.gate:policy", "Plan every stack without an account, and hold policy rules against it."),
    ("verify", "infra.release.commands:verify", "Compare what is live with what should be, and keep a receipt."),
)


class LazyGroup(TyperGroup):
    """Knows every command by name and help line; imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own signature
        super().__init__(**attributes)
        for name, _, help_line in COMMANDS:
            self.add_command(TyperCommand(name, help=help_line))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer hides click's types
        """The command that `args` begin with, imported."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _imported(str(name)), rest


def _imported(name: str) -> Any:  # noqa: ANN401 - as above
    target = next(target for known, target, _ in COMMANDS if known == name)
    module, attribute = target.split(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("infra"):
            raise
        fix = "pip install 'sagestack[local]'"
        raise UserError(f"`sagestack {name}` needs the package {error.name}, which is not installed: {fix}") from None
    if isinstance(command, typer.Typer):
        return typer.main.get_group(command)
    single = typer.Typer(add_completion=False)
    single.command(name)(_exiting(command))
    return typer.main.get_command(single)


def _exiting(function: Callable[..., int | None]) -> Callable[..., None]:
    @functools.wraps(function)
    def run(*args: object, **options: object) -> None:
        raise typer.Exit(function(*args, **options) or 0)

    return run


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _sagestack() -> None:
    """MLOps on SageMaker from one short YAML file a model, and the same on one machine without an AWS account."""


def main(args: list[str] | None = None) -> None:
    """Run the command line; `args` are the process's unless given.

    Raises:
        SystemExit: always, with the command's exit code.
    """
    atexit.register(gc.freeze)  # or Python looks for garbage in what is about to end, for a fifth of a second
    try:
        typer.main.get_command(app).main(args, prog_name="sagestack")
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the user must read
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
