"""`sagestack retraining | retrain | hold | resume`: what the governor decided, and what people tell it."""

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from infra.config import EnvironmentConfig, load_project
from infra.errors import CheckFailed, UserError
from infra.session import client, explained
from monitoring import contract

Model = Annotated[str, typer.Argument(help="The model's name, as in infra/models.")]
Environment = Annotated[str, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]
By = Annotated[
    str, typer.Option(default_factory=getpass.getuser, show_default="you", help="Who does this; kept in the trail.")
]
Item = dict[str, Any]


@explained
def retraining(
    model: Model,
    env: Environment = "local",
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many decisions.")] = 20,
) -> None:
    """List what the governor decided, yes or no, and why; the newest first."""
    ledger = Ledger(_environment(env, model), model)
    table = Table(title=f"{model} in {env}")
    for heading in ("at", "started by", "decision", "reason"):
        table.add_column(heading)
    for item in ledger.decisions(last):
        verdict = "started" if item["start"] else "not started"
        table.add_row(item[contract.LEDGER_AT].split(" ")[0], item["started_by"], verdict, item["reason"])
    console = Console()
    console.print(table)
    if hold := ledger.hold():
        console.print(f"On hold since {hold['since']}, by {hold['by']}: {hold['why']}", markup=False)


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
    Ledger(_environment(env, model), model).set_hold(_said(why), by, datetime.now(UTC))
    typer.echo(f"{model} in {env} is on hold; to release it: sagestack resume {model} --env {env}")


@explained
def resume(model: Model, env: Environment = "local") -> None:
    """Release a hold."""
    if not Ledger(_environment(env, model), model).release():
        raise CheckFailed(f"{model} in {env} is not on hold")
    typer.echo(f"{model} in {env} is no longer on hold")


class Ledger:
    """One model's table of decisions, as people read it and hold it.

    Every method raises `UserError` if the table does not exist: nothing was deployed yet.
    """

    def __init__(self, environment: EnvironmentConfig, model: str) -> None:
        self._dynamodb = client(environment, "dynamodb")
        self._table, self._model = environment.names.model(model).ledger, model

    def decisions(self, number: int) -> list[Item]:
        """The last ones, the newest first."""
        answer = self._do(
            "query",
            KeyConditionExpression="#kind = :decision",
            ExpressionAttributeNames={"#kind": contract.LEDGER_KIND},
            ExpressionAttributeValues={":decision": {"S": contract.LEDGER_DECISION}},
            ScanIndexForward=False,
            Limit=number,
        )
        return [_plain(item) for item in answer["Items"]]

    def hold(self) -> Item | None:
        """Why nothing is started, who said so, and since when."""
        item = self._do("get_item", Key=_HOLD, ConsistentRead=True).get("Item")
        return None if item is None else _plain(item)

    def set_hold(self, why: str, by: str, since: datetime) -> None:
        """Hold; a hold that there is already is replaced."""
        said = {"why": why, "by": by, "since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        self._do("put_item", Item=_HOLD | {name: {"S": value} for name, value in said.items()})

    def release(self) -> bool:
        """Release the hold; whether there was one."""
        return "Attributes" in self._do("delete_item", Key=_HOLD, ReturnValues="ALL_OLD")

    def _do(self, operation: str, **given: Any) -> Any:  # noqa: ANN401 - DynamoDB's own
        try:
            return getattr(self._dynamodb, operation)(TableName=self._table, **given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise UserError(
                f"{self._model} has no table {self._table}: deploy first, so that there is a governor"
            ) from None


_HOLD = {contract.LEDGER_KIND: {"S": contract.LEDGER_HOLD}, contract.LEDGER_AT: {"S": contract.LEDGER_ONLY}}


def _plain(item: Item) -> Item:
    return {name: next(iter(value.values())) for name, value in item.items()}


def _said(why: str) -> str:
    """DynamoDB takes any text; a reason that says nothing helps nobody."""
    if not why.strip():
        raise UserError('--why is empty: say why, such as --why "labels of May are wrong"')
    return why.strip()


def _environment(env: str, model: str) -> EnvironmentConfig:
    """The environment; a model that it does not know is the user's mistake."""
    return load_project(env, models=[model]).environment
