"""`sagestack models | approve | promote | deploy | verify | rollback | …`: thin commands over the release package."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.config import Project, load_project
from infra.errors import UserError
from infra.release import deploy as deploying
from infra.release.promote import commit_of, promoted, write_lock
from infra.release.receipts import Receipts
from infra.release.registry import Registry, Version
from infra.release.rollback import go_back
from infra.session import explained

Model = Annotated[str, typer.Argument(help="The model's name, as in infra/models.")]
Environment = Annotated[str, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="Environment whose registry has it; registry_from, or the environment's own."),
]
By = Annotated[
    str, typer.Option(default_factory=getpass.getuser, show_default="you", help="Who does this; kept in the trail.")
]


@explained
def models(model: Model, env: Environment = "local", from_: From = None) -> None:
    """List the registered versions of a model: approval, metrics, data, what is live."""
    project = _project(env, model)
    lock = project.lock(model)
    table = Table(title=f"{model} in {env}")
    for heading in ("version", "approval", "metrics", "trained on", "started by", "live"):
        table.add_column(heading)
    registry, _ = _registry(project, model, from_)
    for version in registry.versions():
        live = "live" if lock and lock.current.model_package_arn == version.arn else ""
        table.add_row(*_row(version), live)
    Console().print(table)


@explained
def approve(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version's number.")],
    *,
    why: Annotated[str, typer.Option(help="The reason; kept in the registry.")],
    by: By,
    env: Environment = "local",
) -> None:
    """Approve a registered version, so that it may be promoted."""
    approved = Registry(_project(env, model).environment, model).approve(version, by=by, why=why)
    typer.echo(f"{model} version {approved.number} is approved by {by}: sagestack promote {model} --env {env}")


@explained
def promote(
    model: Model,
    version: Annotated[int | None, typer.Argument(help="The version's number; default: the newest approved.")] = None,
    *,
    by: By,
    env: Environment = "local",
    from_: From = None,
    despite_alarms: Annotated[
        bool,
        typer.Option("--despite-alarms", help="Though rollback alarms are raised; its own instances' take it back."),
    ] = False,
) -> None:
    """Write the release lock: the next deploy serves this version."""
    project = _project(env, model)
    registry, source = _registry(project, model, from_)
    chosen = registry.newest_approved() if version is None else registry.version(version)
    lock = promoted(
        chosen,
        project.lock(model),
        project.models[model].endpoint,
        model=model,
        by=by,
        at=datetime.now(UTC),
        commit=commit_of(project.folder),
        registry=source,
        despite_alarms=despite_alarms,
    )
    path = project.lock_path(model)
    write_lock(lock, path)
    typer.echo(f"{path}: {model} version {chosen.number} is current")
    typer.echo(f"Now deploy it (npx cdktf deploy '{env}-*'), then sagestack verify {model} --env {env}")


@explained
def preflight(model: Model, env: Environment = "local") -> None:
    """Look before a deploy: is all there that it needs, and could it be taken back? Exit 1 with every obstacle."""
    deploying.check(_project(env, model), model)
    typer.echo(f"{model} can be deployed to {env}: sagestack deploy {model} --env {env}")


@explained
def deploy(model: Model, *, by: By, env: Environment = "local") -> None:
    """Look, deploy the model's stack, and verify: preflight, cdktf deploy and verify in one command."""
    project = _project(env, model)
    deploying.wait(project, model, say=typer.echo)
    deploying.check(project, model)
    deploying.deploy(project, model, say=typer.echo)
    deploying.verify(project, model, by=by, say=typer.echo)


@explained
def rollback(model: Model, *, by: By, env: Environment = "local") -> None:
    """Go back to the release before this one, with the settings it had: lock, deploy, verify."""
    project = _project(env, model)
    deploying.wait(project, model, say=typer.echo)
    lock = go_back(project, model, say=typer.echo)
    release = lock.current
    typer.echo(f"{project.lock_path(model)}: {model} is back at version {release.version}; commit it")
    project = project.reloaded()
    deploying.deploy(project, model, say=typer.echo)
    deploying.verify(project, model, by=by, say=typer.echo)
    if lock.previous is not None:
        typer.echo(f"To go forward again: sagestack promote {model} VERSION --env {env}, and deploy")


@explained
def verify(model: Model, *, by: By, env: Environment = "local") -> None:
    """Compare what is live with what is declared, and keep a receipt; exit 1 with the difference."""
    deploying.verify(_project(env, model), model, by=by, say=typer.echo)


@explained
def receipts(model: Model, env: Environment = "local") -> None:
    """List what was deployed when, by whom, and whether it was found live; the newest first."""
    table = Table(title=f"{model} in {env}")
    for heading in ("at", "by", "from", "to", "plan", "verified"):
        table.add_column(heading)
    for receipt in Receipts(_project(env, model).environment, model).newest_first():
        before = str(receipt.before.version) if receipt.before else "nothing"
        outcome = "yes" if not receipt.differences else "no: " + "; ".join(receipt.differences)
        plan = receipt.plan.removeprefix("sha256:")[:10]
        table.add_row(f"{receipt.at:%Y-%m-%d %H:%M}", receipt.by, before, str(receipt.after.version), plan, outcome)
    Console().print(table)


@explained
def retire(model: Model, env: Environment = "local") -> None:
    """Delete every registered version, so that the model's stack can be destroyed; refused where it is protected."""
    environment = _project(env, model).environment
    if environment.destroy_protection:
        fix = f"set destroy_protection to false in environments/{env}.yaml, deploy, and then retire"
        raise UserError(f"{env} protects its models from being destroyed: {fix}")
    retired = Registry(environment, model).retire()
    typer.echo(f"{model} in {env}: {len(retired)} versions deleted; now npx cdktf destroy {env}-{model}")


def _project(env: str, model: str) -> Project:
    """The project with this model alone: another's mistake is nothing to it."""
    return load_project(env, models=[model])


def _registry(project: Project, model: str, name: str | None) -> tuple[Registry, str | None]:
    """The registry of an environment, and that one's name unless it is the project's own."""
    environment, source = project.environment, project.source
    name = name or (environment.name if source is None else source.name)
    if name == environment.name:
        return Registry(environment, model), None
    if source is None or name != source.name:
        fix = f"set registry_from: {name} in environments/{environment.name}.yaml"
        raise UserError(f"{environment.name} does not release from {name}: {fix}")
    return Registry(environment, model, source), name


def _row(version: Version) -> tuple[str, ...]:
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in version.metrics.items())
    properties = version.properties
    trained_on, started_by = (properties.get(name, "unknown") for name in ("trained_on", "started_by"))
    return str(version.number), version.approval, metrics, trained_on, started_by
