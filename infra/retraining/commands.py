"""`sagestack retraining | retrain | hold | resume`: what the governor decided, and what people tell it."""

import getpass
import json
from typing import Annotated

import typer
from rich.console import Console

from infra.config import EnvironmentConfig, load_project
from infra.errors import CheckFailed, UserError
from infra.retraining.ledger import Ledger
from infra.retraining.outlook import NotAsked, outlook
from infra.retraining.view import Overview
from infra.session import client, explained
from monitoring import contract

Model = Annotated[str, typer.Argument(help="The model's name, as in infra/models.")]
Environment = Annotated[str, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]
By = Annotated[
    str, typer.Option(default_factory=getpass.getuser, show_default="you", help="Who does this; kept in the trail.")
]


@explained
def retraining(
    model: Model,
    env: Environment = "local",
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many decisions.")] = 20,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what would start a run now and what holds it back, and what was decided and why; the newest first."""
    environment = _environment(env, model)
    ledger = Ledger(environment, model)
    at = ledger.now()
    now, unasked = None, ""
    try:
        now = outlook(environment, model, at)
    except NotAsked as error:
        unasked = str(error)
    decided = ledger.decisions(last), ledger.approvals(last)
    overview = Overview(model, env, at, ledger.hold(), ledger.waiting(), now, unasked, *decided)
    if as_json:
        typer.echo(json.dumps(overview.to_json(), indent=2))
    else:
        overview.show(Console())


@explained
def retrain(
    model: Model,
    *,
    why: Annotated[str, typer.Option(help="The reason; kept with the decision and the run.")],
    by: By,
    env: Environment = "local",
) -> None:
    """Ask the governor for a run; a person passes the cooldown, but no hold, no run in flight, no month's limit."""
    environment = _environment(env, model)
    Ledger(environment, model).hold()  # there is a governor to ask
    detail = json.dumps({"model": model, "reason": _said(why), "by": by})
    entry = {"Source": contract.EVENT_SOURCE, "DetailType": contract.RETRAINING_REQUESTED, "Detail": detail}
    answer = client(environment, "events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise CheckFailed(f"EventBridge did not take the request: {answer['Entries'][0]['ErrorMessage']}")
    typer.echo(f"The governor of {model} in {env} is asked; its answer: sagestack retraining {model} --env {env}")


@explained
def hold(
    model: Model,
    *,
    why: Annotated[str, typer.Option(help="The reason; whoever asks for a run is told.")],
    by: By,
    env: Environment = "local",
) -> None:
    """Let nobody and nothing start a run, until `sagestack resume`; one in flight is not stopped."""
    ledger = Ledger(_environment(env, model), model)
    ledger.set_hold(_said(why), by, ledger.now())
    typer.echo(f"{model} in {env} is on hold; to release it: sagestack resume {model} --env {env}")


@explained
def resume(model: Model, env: Environment = "local") -> None:
    """Release a hold."""
    if not Ledger(_environment(env, model), model).release():
        raise CheckFailed(f"{model} in {env} is not on hold")
    typer.echo(f"{model} in {env} is no longer on hold")


def _said(why: str) -> str:
    """DynamoDB takes any text; a reason that says nothing helps nobody."""
    if not why.strip():
        raise UserError('--why is empty: say why, such as --why "labels of May are wrong"')
    return why.strip()


def _environment(env: str, model: str) -> EnvironmentConfig:
    """The environment; a model that it does not know is the user's mistake."""
    return load_project(env, models=[model]).environment
