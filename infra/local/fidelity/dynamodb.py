"""DynamoDB's conditional writes, which are atomic: of several at once that expect the same, one succeeds."""

import functools
import threading
from collections.abc import Callable
from typing import Any, Final

from moto.dynamodb.models import DynamoDBBackend

from infra.local.cloud import LocalCloud

WRITES: Final = ("put_item", "update_item", "delete_item", "transact_write_items")


def install(_: LocalCloud) -> None:
    """Make moto's writes one after the other: it checks the condition first and writes then."""
    lock = threading.RLock()  # a transaction writes by the others
    for name in WRITES:
        setattr(DynamoDBBackend, name, _one_at_a_time(getattr(DynamoDBBackend, name), lock))


def _one_at_a_time(write: Callable[..., Any], lock: threading.RLock) -> Callable[..., Any]:
    @functools.wraps(write)
    def locked(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - moto's own parameters
        with lock:
            return write(*args, **more)

    return locked
