"""`sagestack trail`: who did what to what, as CloudTrail tells it, and who was refused."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.config import load_environment
from infra.session import client, explained

Environment = Annotated[str, typer.Option("--env", envvar="SAGESTACK_ENV", help="The environment.")]
Record = dict[str, Any]


@explained
def trail(
    env: Environment = "local",
    *,
    role: Annotated[str | None, typer.Option(help="Only what was done in a role's name.", show_default=False)] = None,
    denied: Annotated[bool, typer.Option("--denied", help="Only what was refused.")] = False,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many events.")] = 50,
) -> None:
    """List who did what, the newest first; what only reads is left out unless a role is named or it was refused."""
    table = Table(title=f"What was done in {env}")
    for heading in ("at", "who", "did", "to", "refused because"):
        table.add_column(heading, overflow="fold")
    records = _records(client(load_environment(env), "cloudtrail"))
    wanted = (one for one in records if _is_wanted(one, role, denied=denied))
    for _, record in zip(range(last), wanted, strict=False):
        service = record["eventSource"].removesuffix(".amazonaws.com")
        resources = ", ".join(one["ARN"] for one in record.get("resources") or [])
        why = str(record.get("errorMessage", ""))
        table.add_row(record["eventTime"], _who(record), f"{service}:{record['eventName']}", resources, why)
    Console().print(table)


def _records(cloudtrail: Any) -> Iterator[Record]:  # noqa: ANN401 - boto3's clients are made at run time
    for page in cloudtrail.get_paginator("lookup_events").paginate():
        for event in page["Events"]:
            yield json.loads(event["CloudTrailEvent"])


def _is_wanted(record: Record, role: str | None, *, denied: bool) -> bool:
    if role is not None and _role(record) != role:
        return False
    if denied:
        return "errorCode" in record
    return role is not None or not record.get("readOnly")


def _who(record: Record) -> str:
    identity = record["userIdentity"]
    return str(identity.get("invokedBy") or identity.get("arn", "").rsplit(":", 1)[-1] or identity["type"])


def _role(record: Record) -> str | None:
    issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {})
    name: str | None = issuer.get("userName")
    return name
