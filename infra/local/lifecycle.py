"""Starting, finding and stopping a local cloud from another process; and the control API's client."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from infra.errors import UserError
from infra.local import record

LOG: Final = "cloud.log"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.05
PROJECT: Final = Path(__file__).parents[2]


@dataclass
class Handle:
    """A local cloud that runs."""

    home: Path
    endpoint_url: str
    pid: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def status(self) -> dict[str, Any]:
        """Version, process, clock, and what is under way."""
        return _call(self.endpoint_url, "GET", "status")

    def advance(self, to: datetime) -> None:
        """Move the clock to `to` (aware); what is due on the way has happened, and ended, when this returns."""
        _call(self.endpoint_url, "POST", "clock", {"to": to.isoformat()})

    def advance_by(self, seconds: float) -> None:
        """Move the clock by `seconds`, likewise."""
        _call(self.endpoint_url, "POST", "clock", {"by_seconds": seconds})

    def settle(self, timeout_seconds: float = 600) -> None:
        """Wait until nothing is under way.

        Raises:
            UserError: something still is after `timeout_seconds`; the message names it.
        """
        _call(self.endpoint_url, "POST", "settle", {"timeout_seconds": timeout_seconds})

    def stop(self) -> None:
        """End the cloud and everything it started; return when it is gone."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if record.is_held(self.home):
                os.kill(self.pid, number)
            if _until(lambda: not record.is_held(self.home), STOP_SECONDS):
                break
        if self._process is not None:
            self._process.wait()


@dataclass(frozen=True)
class Settings:
    """What a local cloud is told when it starts."""

    home: Path
    """Its folder."""
    port: int = 0
    """Of 127.0.0.1; 0 for any free one."""
    region: str = "us-east-1"
    account: str = "123456789012"
    begin: datetime | None = None
    """Its clock's first moment (aware); now, unless given."""

    def command(self) -> list[str]:
        """The command line of the cloud's process."""
        argv = [sys.executable, "-m", "infra.local.server", "--home", str(self.home), "--port", str(self.port)]
        argv += ["--region", self.region, "--account", self.account]
        return argv if self.begin is None else [*argv, "--begin", self.begin.isoformat()]


def start(settings: Settings, waiting: Callable[[], None] = lambda: None) -> Handle:
    """Start a local cloud, detached from this process, and return when it answers; call `waiting` until then.

    Raises:
        UserError: it runs already, or cannot start; the message says why.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / LOG).open("wb") as log:
        process = subprocess.Popen(
            settings.command(),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        return _ready(settings.home, process, waiting)
    except BaseException:
        process.kill()
        process.wait()
        raise


def find(home: Path) -> Handle | None:
    """The local cloud that runs in `home`, if one does."""
    running = record.read(home)
    return None if running is None else Handle(home, running.endpoint_url, running.pid)


def environment() -> dict[str, str]:
    """The environment of a local cloud's process: nothing of the user's own AWS configuration, and no proxy."""
    kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
    }


def _is_foreign(name: str) -> bool:
    return name.startswith("AWS_") or name.lower() in ("http_proxy", "https_proxy", "all_proxy")


def _ready(home: Path, process: subprocess.Popen[bytes], waiting: Callable[[], None]) -> Handle:
    def answers() -> bool:
        waiting()
        if process.poll() is not None:
            raise UserError(f"the local cloud could not start: {_last_words(home)}")
        running = record.read(home)
        return running is not None and running.pid == process.pid

    if not _until(answers, START_SECONDS):
        raise UserError(f"the local cloud did not answer within {START_SECONDS:g} s; see {home / LOG}")
    running = record.read(home)
    assert running is not None  # noqa: S101 - it was there a moment ago, and its process lives
    return Handle(home, running.endpoint_url, running.pid, process)


def _last_words(home: Path) -> str:
    lines = (home / LOG).read_text(errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it said nothing'} (its log is {home / LOG})"


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return met


def _call(endpoint_url: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call the control API. Months of schedules may be fired in one call, so there is no time limit."""
    connection = http.client.HTTPConnection(urlsplit(endpoint_url).netloc)
    try:
        connection.request(method, f"/_sagestack/{path}", json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"the local cloud at {endpoint_url} did not answer: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise UserError(f"the local cloud: {answer.get('error', answer)}")
    return answer
