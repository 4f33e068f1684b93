"""Child processes, each in a session of its own, none of which outlives the program that started it, however that ends.

`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the child ends, and it is Linux's alone. A pipe
to a small watchdog process does: the operating system closes it when the program ends, even by SIGKILL.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from infra import watchdog

Stream = int | IO[bytes] | None
STOP_GRACE_SECONDS = 5.0


class Children:
    """The child processes of one owner, and the watchdog that ends them should this program be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Track `process`, whose id is also its process group's."""
        with self._lock:
            self._forget_ended()
            self._running[process.pid] = process
            self._tell(f"+{process.pid}\n")

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """End every child: SIGTERM to all of them at once, SIGKILL to what is left after `grace_seconds`."""
        with self._lock:
            running, self._running = list(self._running.values()), {}
        for process in running:
            _signal(process, signal.SIGTERM)
        for process in running:
            stop(process, grace_seconds)
        with self._lock:
            self._dismiss_watchdog()

    def _forget_ended(self) -> None:
        for pid, process in list(self._running.items()):
            if process.poll() is not None:
                del self._running[pid]
                self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        self._watchdog = self._watchdog or _start_watchdog()
        assert self._watchdog.stdin is not None  # noqa: S101 - it was started with a pipe
        self._watchdog.stdin.write(line.encode())
        self._watchdog.stdin.flush()

    def _dismiss_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.communicate()
            self._watchdog = None


def spawn(
    children: Children,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdout: Stream,
    stderr: Stream = subprocess.STDOUT,
    stdin: Stream = subprocess.DEVNULL,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child process, in a new session, with exactly the environment `env`.

    It is terminated when `children` stop, and killed, with what it has started in its session, when this program is.

    Raises:
        OSError: the program could not be started.
    """
    process = subprocess.Popen(
        list(argv), env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, start_new_session=True
    )
    children.add(process)
    return process


def stop(process: subprocess.Popen[bytes], grace_seconds: float = STOP_GRACE_SECONDS) -> int:
    """End `process` and what it started: SIGTERM, then SIGKILL after `grace_seconds`. Returns its exit code."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    _signal(process, signal.SIGKILL)
    return process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _start_watchdog() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", watchdog.__file__], stdin=subprocess.PIPE, start_new_session=True
    )
