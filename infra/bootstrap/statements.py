"""IAM statements, as the roles' policies are made of."""

from collections.abc import Sequence
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]


def document(statements: Sequence[Statement]) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(service: str, actions: Sequence[str], resources: list[str]) -> Statement:
    """Actions of one service on some resources."""
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": resources}
