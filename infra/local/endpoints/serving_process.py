"""One instance of an endpoint's variant: a serving container's process, and connections to it that are kept open."""

import contextlib
import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from infra import processes
from infra.local.endpoints.exchange import INVOCATION_SECONDS, ONLY_CONTAINER, Answer
from infra.local.engine import Container, Engine, Sandbox
from infra.local.jobs.container_logs import SHIP_EVERY_SECONDS, ContainerLogs
from serving.contract import HOST_VARIABLE, INVOCATIONS_PATH, PING_PATH, PORT_VARIABLE

HOST = "127.0.0.1"
PING_TIMEOUT_SECONDS = 2.0
PING_EVERY_SECONDS = 0.05
STOP_GRACE_SECONDS = 30.0
NO_ANSWER = (ConnectionError, http.client.BadStatusLine, http.client.IncompleteRead)
"""The request was not answered, or not to the end of the answer."""


class UnhealthyError(Exception):
    """The container did not answer its health check."""

    def __init__(self, reason: str, container: str = ONLY_CONTAINER) -> None:
        super().__init__(reason)
        self.container = container


class NotAnsweredError(Exception):
    """The process is gone, or closed the connection, before it answered."""


class ServingProcess:
    """A serving container's process, from its start to its end."""

    def __init__(self, engine: Engine, container: Container, sandbox: Sandbox, logs: ContainerLogs) -> None:
        """Start the process; `wait_until_healthy` says when it can be asked.

        Raises:
            ImageNotFoundError: the image cannot be run here.
        """
        self._port = _free_port()
        told = {PORT_VARIABLE: str(self._port), HOST_VARIABLE: HOST}
        container = replace(container, environment={**container.environment, **told})
        self._process = engine.start(container, sandbox)
        self._sandbox = sandbox
        self._logs = logs
        self._connections: list[http.client.HTTPConnection] = []
        self._requests = 0
        self._retired = False
        self._quiet = threading.Condition()
        self._stopped = threading.Event()
        threading.Thread(target=self._ship_logs, name=f"logs {sandbox.folder.name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process itself; its workers are its children."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def has_ended(self, within_seconds: float) -> bool:
        """Whether the process ends soon: a connection breaks a moment before its process is seen to be gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_seconds)
        return not self.is_running

    def wait_until_healthy(self, limit_seconds: float) -> None:
        """Ask for /ping until it answers 200.

        Raises:
            UnhealthyError: it never did, or the process has ended.
        """
        deadline = time.monotonic() + limit_seconds
        while not self._is_healthy():
            if not self.is_running:
                raise UnhealthyError(f"It exited with code {self._process.returncode}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise UnhealthyError(f"It did not answer {PING_PATH} with 200 within {limit_seconds:g} s.")
            time.sleep(PING_EVERY_SECONDS)

    @contextmanager
    def in_use(self) -> Iterator[bool]:
        """Say that a request is about to be sent; False if this process takes no more."""
        with self._quiet:
            admitted = not self._retired
            self._requests += admitted
        try:
            yield admitted
        finally:
            with self._quiet:
                self._requests -= admitted
                self._quiet.notify_all()

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout_seconds: float = INVOCATION_SECONDS) -> Answer:
        """Send a request to /invocations; see `send`."""
        return self.send("POST", INVOCATIONS_PATH, body, headers, timeout_seconds=timeout_seconds)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_seconds: float = INVOCATION_SECONDS,
    ) -> Answer:
        """Send a request.

        Raises:
            NotAnsweredError: another process may be asked instead.
            TimeoutError: no answer within `timeout_seconds`.
        """

        def ask(connection: http.client.HTTPConnection) -> Answer:
            connection.timeout = timeout_seconds
            if connection.sock:
                connection.sock.settimeout(timeout_seconds)
            return self._ask(connection, method, path, body=body, headers=headers or {})

        with contextlib.suppress(IndexError, *NO_ANSWER):  # a connection kept open may have been closed meanwhile
            return ask(self._connections.pop())
        try:
            return ask(_connection(self._port, timeout_seconds))
        except NO_ANSWER as error:
            raise NotAnsweredError(str(error)) from error

    def retire(self) -> None:
        """Take no more requests, finish those under way, stop, and leave nothing open."""
        with self._quiet:
            self._retired = True
            self._quiet.wait_for(lambda: not self._requests, INVOCATION_SECONDS)
        processes.stop(self._process, STOP_GRACE_SECONDS)
        self._stopped.set()
        while self._connections:
            self._connections.pop().close()
        self._logs.ship(last=True)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, *, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._connections.append(connection)
        return answer

    def _is_healthy(self) -> bool:
        connection = _connection(self._port, PING_TIMEOUT_SECONDS)
        try:
            connection.request("GET", PING_PATH)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _ship_logs(self) -> None:
        while not self._stopped.wait(SHIP_EVERY_SECONDS):
            self._logs.ship()

    def _last_words(self) -> str:
        lines = self._sandbox.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else "it said nothing"


def _connection(port: int, timeout_seconds: float) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(HOST, port, timeout=timeout_seconds)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port
