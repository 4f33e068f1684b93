"""The commands of model owners: validate, show, schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from infra.config.chosen import chosen_environment, project_root
from infra.config.errors import ConfigError, Problem
from infra.config.files import environment_names, model_names
from infra.config.load import load_environment, load_model, load_source
from infra.config.lock_file import load_lock

EnvironmentOption = Annotated[
    str | None,
    typer.Option("--env", envvar="SAGESTACK_ENV", help="Environment; local unless given.", show_default=False),
]

WIDEST = 60
"""Longer values do not push everyone's source out of sight."""


def validate(
    models: Annotated[list[str] | None, typer.Argument(metavar="[MODEL]...", help="Models; all unless given.")] = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="Environment; all unless given.", show_default=False)
    ] = None,
) -> None:
    """Check models and environments, and tell every problem with its line."""
    root = project_root()
    environments = [environment] if environment is not None else environment_names(root)
    if not environments:
        folder = root / "environments"
        raise ConfigError([Problem(str(folder), None, "", "holds no environment: add one, such as local.yaml")])
    problems = list(_environment_problems(environments, root))
    if problems:
        raise ConfigError(problems)
    for model in models or model_names(root):
        found = list(_model_problems(model, environments, root))
        problems.extend(found)
        if not found:
            typer.echo(f"✓ {model} ({', '.join(environments)})")
    if problems:
        raise ConfigError(problems)


def _environment_problems(environments: list[str], root: Path) -> Iterator[Problem]:
    for name in environments:
        try:
            load_source(load_environment(name, root), root)
        except ConfigError as error:
            yield from error.problems


def _model_problems(model: str, environments: list[str], root: Path) -> Iterator[Problem]:
    for environment in environments:
        settings = load_environment(environment, root)
        for load in (load_model, load_lock):
            try:
                load(model, settings, root)
            except ConfigError as error:
                yield from error.problems


def show(model: Annotated[str, typer.Argument(help="Model.")], environment: EnvironmentOption = None) -> None:
    """Print a model as it is in an environment, and where each value comes from."""
    from infra.config.show import show_model  # noqa: PLC0415 - `validate` does not need it

    root = project_root()
    lines = show_model(model, load_environment(environment or chosen_environment(), root), root)
    width = max(len(line.text) for line in lines if line.source and len(line.text) < WIDEST)
    for line in lines:
        comment = typer.style(f"  # {line.source}", dim=True) if line.source else ""
        typer.echo(f"{line.text:{width if line.source else 0}}{comment}")


def schema(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit 1 if a file is out of step.")] = False,
) -> None:
    """Write the JSON Schemas that editors complete from, and the reference of all keys."""
    from infra.config.schema import check_files, write_files  # noqa: PLC0415 - `validate` does not need it

    for path in check_files() if check else write_files():
        typer.echo(f"✓ {path}")
