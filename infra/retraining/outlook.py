"""What would be decided now: the governor is asked, whose rules they are."""

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig
from infra.session import client
from monitoring import contract

NOT_THERE = "ResourceNotFoundException"
NOT_ALLOWED = ("AccessDeniedException", "TooManyRequestsException")


class NotAsked(Exception):  # noqa: N818 - a fact, told in the answer's place
    """The governor could not be asked; the message says why."""


def outlook(environment: EnvironmentConfig, model: str, at: datetime) -> list[dict[str, Any]]:
    """For each who may ask: would a run start now, if not why, and until when.

    Raises:
        NotAsked: there is no governor, it may not be called, or it failed.
    """
    event = {"id": "outlook", "time": at.isoformat(), "source": contract.EVENT_SOURCE, "detail": {}}
    payload = json.dumps(event | {"detail-type": contract.RETRAINING_OUTLOOK})
    governor = environment.names.model(model).governor
    try:
        answer = client(environment, "lambda").invoke(FunctionName=governor, Payload=payload)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {NOT_THERE, *NOT_ALLOWED}:
            raise
        raise NotAsked(error.response["Error"]["Message"]) from None
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NotAsked(f"{governor} failed: {said.get('errorMessage', said)}")
    found: list[dict[str, Any]] = said["outlook"]
    return found
