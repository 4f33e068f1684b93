"""Where functions run: a warm environment a function, and no more at once than its reserved concurrency."""

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from infra.local.cloud import LocalCloud
from infra.local.identity.authority import AccessDeniedError
from infra.local.identity.sessions import Session
from infra.local.jobs.container_logs import create_stream
from infra.local.lambdas.metrics import publish
from infra.local.lambdas.process import Answer, Code, Environment

UNRESERVED_CONCURRENCY = 10
"""What a new AWS account has."""


LAMBDA = "lambda.amazonaws.com"
NOT_ASSUMED = Answer(
    b'{"errorMessage": "The role defined for the function cannot be assumed by Lambda."}',
    "AccessDeniedException",
    "",
    0.0,
)
logger = logging.getLogger(__name__)


class ThrottledError(Exception):
    """The function already runs as often as it may."""


class Pool:
    """Runs functions; idle environments wait for the next event."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._freed = threading.Condition()
        self._running: dict[str, int] = defaultdict(int)
        self._idle: dict[str, Environment] = {}

    def run(self, code: Code, event: Any, *, concurrency: int | None, wait: bool) -> tuple[str, Answer]:  # noqa: ANN401
        """Invoke a function.

        Args:
            code: The function.
            event: Any JSON value.
            concurrency: Its reserved concurrency, if any.
            wait: Wait for a free slot, as an asynchronous invocation does.

        Returns:
            The request's id, and what came of it; its log and metrics are written.

        Raises:
            ThrottledError: it already runs as often as it may, and is not to wait, or may not run at all.
        """
        limit = UNRESERVED_CONCURRENCY if concurrency is None else concurrency
        request_id = str(uuid.uuid4())
        with self._slot(code, limit, wait=wait):
            try:
                environment = self._environment(code)
            except AccessDeniedError as error:
                logger.warning("function %s: %s", code.name, error)
                return request_id, NOT_ASSUMED
            answer = environment.invoke(event, request_id)
            self._keep(environment)
        self._log(environment, request_id, answer)
        failed = float(answer.error is not None)
        publish(self._cloud, code.name, {"Invocations": 1, "Errors": failed, "Duration": answer.milliseconds})
        return request_id, answer

    def discard(self, name: str) -> None:
        """End the idle environment of a function that is deleted."""
        with self._freed:
            environment = self._idle.pop(name, None)
        if environment:
            environment.stop()

    @contextmanager
    def _slot(self, code: Code, limit: int, *, wait: bool) -> Iterator[None]:
        with self._freed:
            while self._running[code.name] >= limit:
                if limit == 0 or not wait:
                    raise ThrottledError(code.name)
                self._freed.wait()
            self._running[code.name] += 1
        try:
            yield
        finally:
            with self._freed:
                self._running[code.name] -= 1
                self._freed.notify_all()

    def _environment(self, code: Code) -> Environment:
        with self._freed:
            idle = self._idle.pop(code.name, None)
        if idle and idle.usable and idle.code == code:
            return idle
        if idle:
            idle.stop()
        return Environment(self._cloud, code, acting(self._cloud, code))

    def _keep(self, environment: Environment) -> None:
        """One idle environment a function is enough for one machine."""
        with self._freed:
            kept = environment.usable and self._idle.setdefault(environment.code.name, environment) is environment
        if not kept:
            environment.stop()

    def _log(self, environment: Environment, request_id: str, answer: Answer) -> None:
        code = environment.code
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {answer.milliseconds:.2f} ms\t"
            f"Billed Duration: {int(answer.milliseconds) + 1} ms\tMemory Size: {code.memory_mb} MB\t"
        )
        start = f"START RequestId: {request_id} Version: {code.version}"
        lines = [start, *answer.output.splitlines(), f"END RequestId: {request_id}", report]
        place = {"logGroupName": code.log_group, "logStreamName": environment.log_stream}
        now = int(self._cloud.clock.now().timestamp() * 1000)
        entries = [{"timestamp": now, "message": line} for line in lines if line.strip()]
        logs = self._cloud.client("logs", environment.acting)
        try:
            create_stream(logs, *place.values())
            logs.put_log_events(**place, logEvents=entries)
        except ClientError as error:  # its role may not: a function runs without its log, as on AWS
            logger.warning("function %s logs nothing: %s", code.name, error)


def acting(cloud: LocalCloud, code: Code) -> Session:
    """A function's role, as the function acts as it.

    Raises:
        AccessDeniedError: the role does not trust Lambda, or is not there.
    """
    return cloud.authority.assume(code.role_arn, LAMBDA, source_arn=code.arn, name=code.name)
