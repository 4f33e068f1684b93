"""Which process is the local cloud of a folder: `cloud.json` there, locked for as long as that process lives.

A killed server leaves the file but not the lock, so a stale record is never taken for a running cloud.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = "cloud.json"


@dataclass(frozen=True)
class Running:
    """A running local cloud."""

    pid: int
    endpoint_url: str


class AlreadyRunningError(Exception):
    """The folder's local cloud runs already."""

    def __init__(self, running: Running) -> None:
        super().__init__(f"process {running.pid} at {running.endpoint_url}")
        self.running = running


@contextmanager
def held(home: Path) -> Iterator[Callable[[Running], None]]:
    """Be the local cloud of `home`; call what this yields once it can be reached.

    Raises:
        AlreadyRunningError: another process is.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(_parse(home) or Running(0, "")) from None
        file.truncate(0)

        def write(running: Running) -> None:
            file.write(json.dumps(asdict(running)))
            file.flush()

        yield write
        file.truncate(0)


def read(home: Path) -> Running | None:
    """The local cloud that runs in `home`, once it can be reached."""
    return _parse(home) if is_held(home) else None


def is_held(home: Path) -> bool:
    """Whether a process is the local cloud of `home`, be it still starting or already stopping."""
    try:
        with (home / FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _parse(home: Path) -> Running | None:
    text = (home / FILE).read_text()
    return Running(**json.loads(text)) if text else None
