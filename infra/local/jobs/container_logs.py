"""A container's output: a file in its sandbox, shipped line by line to CloudWatch Logs."""

import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.execution_role import ExecutionRole

BATCH_LINES = 1000
MAX_LINE_CHARACTERS = 200_000
SHIP_EVERY_SECONDS = 1.0
logger = logging.getLogger(__name__)


class ContainerLogs:
    """Ships what is new in a log file to one stream of a log group."""

    def __init__(
        self,
        role: ExecutionRole,
        path: Path,
        *,
        group: str,
        stream: str,
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._role = role
        self._path = path
        self._group = group
        self._stream = stream
        self._on_line = on_line
        self._offset = 0
        self._rest = b""
        self._next = 0.0
        self._created = False

    def ship_now_and_then(self) -> None:
        """Ship complete lines, at most once a second."""
        if time.monotonic() >= self._next:
            self.ship()
            self._next = time.monotonic() + SHIP_EVERY_SECONDS

    def ship(self, *, last: bool = False) -> None:
        """Ship complete lines; the `last` time, also what has no end of line."""
        lines = self._new_lines(last=last)
        for line in lines:
            self._on_line(line)
        shown = [line[:MAX_LINE_CHARACTERS] for line in lines if line.strip()]
        for start in range(0, len(shown), BATCH_LINES):
            self._put(shown[start : start + BATCH_LINES])

    def _new_lines(self, *, last: bool) -> list[str]:
        if not self._path.exists():
            return []
        with self._path.open("rb") as log:
            log.seek(self._offset)
            new = log.read()
        self._offset += len(new)
        *complete, self._rest = (self._rest + new).split(b"\n")
        if last and self._rest:
            complete, self._rest = [*complete, self._rest], b""
        return [line.decode(errors="replace") for line in complete]

    def _put(self, lines: list[str]) -> None:
        now = int(self._role.cloud.clock.now().timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        try:
            self._create_stream()
            self._role.client("logs").put_log_events(
                logGroupName=self._group, logStreamName=self._stream, logEvents=events
            )
        except (ClientError, BotoCoreError) as error:  # its role may not, its group is gone, or the cloud is stopping
            logger.warning("%d lines of %s are not in CloudWatch Logs: %s", len(lines), self._path, error)

    def _create_stream(self) -> None:
        if self._created:
            return
        create_stream(self._role.client("logs"), self._group, self._stream)
        self._created = True


def create_stream(logs: Any, group: str, stream: str) -> None:  # noqa: ANN401 - a boto3 client
    """Make a log stream, and its group if that is not there; one that is there stays.

    Raises:
        ClientError: whoever calls may not.
    """
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        try:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except logs.exceptions.ResourceNotFoundException:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
