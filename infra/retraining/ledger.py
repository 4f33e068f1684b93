"""One model's table of decisions, as people read it and hold it."""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig
from infra.errors import UserError
from infra.session import answered_at, client
from monitoring import contract

Item = dict[str, Any]


class Ledger:
    """Every method raises `UserError` if the table does not exist: nothing was deployed yet."""

    def __init__(self, environment: EnvironmentConfig, model: str) -> None:
        self._dynamodb = client(environment, "dynamodb")
        self._table, self._model = environment.names.model(model).ledger, model

    def now(self) -> datetime:
        """The time where the table is."""
        return answered_at(self._do("get_item", Key=_key(contract.LEDGER_HOLD)))

    def decisions(self, number: int) -> list[Item]:
        """The last ones about runs, the newest first."""
        return self._last(contract.LEDGER_DECISION, number)

    def approvals(self, number: int) -> list[Item]:
        """The last ones about approvals without a person, the newest first."""
        return self._last(contract.LEDGER_APPROVAL, number)

    def hold(self) -> Item | None:
        """Why nothing is started, who said so, and since when."""
        return self._only(contract.LEDGER_HOLD)

    def waiting(self) -> Item | None:
        """New data that is looked at later: what, and when."""
        item = self._only(contract.LEDGER_WAITING)
        return item if item and item["until"] else None

    def set_hold(self, why: str, by: str, since: datetime) -> None:
        """Hold; a hold that there is already is replaced."""
        said = {"why": why, "by": by, "since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        self._do("put_item", Item=_key(contract.LEDGER_HOLD) | {name: {"S": value} for name, value in said.items()})

    def release(self) -> bool:
        """Release the hold; whether there was one."""
        return "Attributes" in self._do("delete_item", Key=_key(contract.LEDGER_HOLD), ReturnValues="ALL_OLD")

    def _last(self, kind: str, number: int) -> list[Item]:
        answer = self._do(
            "query",
            KeyConditionExpression="#kind = :kind",
            ExpressionAttributeNames={"#kind": contract.LEDGER_KIND},
            ExpressionAttributeValues={":kind": {"S": kind}},
            ScanIndexForward=False,
            Limit=number,
        )
        return [_plain(item) for item in answer["Items"]]

    def _only(self, kind: str) -> Item | None:
        item = self._do("get_item", Key=_key(kind), ConsistentRead=True).get("Item")
        return None if item is None else _plain(item)

    def _do(self, operation: str, **given: Any) -> Any:  # noqa: ANN401 - DynamoDB's own
        try:
            return getattr(self._dynamodb, operation)(TableName=self._table, **given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise UserError(
                f"{self._model} has no table {self._table}: deploy first, so that there is a governor"
            ) from None


def _key(kind: str) -> Item:
    return {contract.LEDGER_KIND: {"S": kind}, contract.LEDGER_AT: {"S": contract.LEDGER_ONLY}}


def _plain(item: Item) -> Item:
    return {name: next(iter(value.values())) for name, value in item.items()}
