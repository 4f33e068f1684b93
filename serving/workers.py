"""Several processes on one port: the kernel spreads connections over them, and one that dies is replaced.

Workers are forked before anything is loaded: the libraries' threads do not survive a fork. The first tries the
model alone, so that what is wrong with it is said once.
"""

import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Final

from serving.log import Log

START_FAILED: Final = 1
_EARLY_SECONDS: Final = 1.0
"""A worker that ends sooner was not fit to start: it is not tried for ever in a tight circle."""

Fit = Callable[[], None]
Work = Callable[[int, Fit], int]
"""Serves as the worker of that number until told to stop, and says when it is fit to; the exit code."""


def bind(host: str, port: int) -> socket.socket:
    """Hold a port that nobody else has, for sockets that share it; the socket itself never listens.

    Raises:
        OSError: the address is taken, or cannot be bound.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        alone.bind(address)  # fails where others share the port, which the next socket would join
        port = alone.getsockname()[1]
    held = socket.socket(family, kind, protocol)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, port))
    return held


def supervise(count: int, work: Work, log: Log) -> int:
    """Run `count` workers until SIGTERM or SIGINT, which they are told; the worst of their exit codes.

    A worker that ends unasked is replaced, unless it never came to serve: then all are stopped.
    """
    return _Supervisor(count, work, log).run()


class _Supervisor:
    def __init__(self, count: int, work: Work, log: Log) -> None:
        self._work = work
        self._log = log
        self._count = count
        self._workers: dict[int, tuple[int, float]] = {}
        self._stopping = False
        self._code = 0

    def run(self) -> int:
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: self._stop())
        if self._first_is_fit():
            for number in range(1, self._count):
                self._start(number)
        else:
            self._stopping = True
        while self._workers:
            pid, status = os.wait()
            if pid in self._workers:
                self._ended(*self._workers.pop(pid), os.waitstatus_to_exitcode(status))
        return self._code

    def _first_is_fit(self) -> bool:
        reads, writes = os.pipe()
        self._start(0, lambda: _tell(writes))
        os.close(writes)
        told = os.read(reads, 1)  # nothing, if it has ended
        os.close(reads)
        return bool(told) and not self._stopping

    def _start(self, number: int, fit: Fit = lambda: None) -> None:
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # one that comes now waits until the child is known
        if (pid := os.fork()) == 0:
            for asked in signals:
                signal.signal(asked, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            os._exit(self._worked(number, fit))
        self._workers[pid] = (number, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def _worked(self, number: int, fit: Fit) -> int:
        try:
            return self._work(number, fit)
        except SystemExit as asked:
            return int(asked.code or 0)
        except BaseException:  # noqa: BLE001 - a child must never go on as its parent
            traceback.print_exc()
            return START_FAILED

    def _ended(self, number: int, started: float, code: int) -> None:
        if self._stopping:
            self._code = max(self._code, 0 if code == -signal.SIGTERM else abs(code))
        elif code == START_FAILED and time.monotonic() - started < _EARLY_SECONDS:
            self._code = code
            self._stop()
        else:
            self._log.event("worker replaced", worker=number, exit_code=code)
            self._start(number)

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._workers:
            os.kill(pid, signal.SIGTERM)


def _tell(pipe: int) -> None:
    os.write(pipe, b"!")
    os.close(pipe)
