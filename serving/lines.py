"""Log lines leave by a thread of their own: whoever reads them slowly, or not at all, delays no answer."""

import os
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from threading import Thread
from typing import Final

MAX_WAITING: Final = 4096
"""So many lines wait for a reader; further ones are dropped, and counted."""
CLOSE_SECONDS: Final = 1.0
_STDOUT: Final = 1


class Lines:
    """Writes lines to a file descriptor, in their order, whole."""

    def __init__(self, dropped: Callable[[], None], descriptor: int = _STDOUT) -> None:
        """Begin; `dropped` is called for each line that finds no room."""
        self._dropped = dropped
        self._descriptor = descriptor
        self._waiting: Queue[bytes | None] = Queue(MAX_WAITING)
        self._thread = Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Take a line on; never waits."""
        try:
            self._waiting.put_nowait(line)
        except Full:
            self._dropped()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Give what waits a last moment to be read."""
        with suppress(Full):
            self._waiting.put(None, timeout=seconds)
            self._thread.join(seconds)

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            with suppress(OSError):  # that nobody reads the log any more is no reason to stop answering
                while line:
                    line = line[os.write(self._descriptor, line) :]
