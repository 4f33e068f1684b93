"""The server's life: listen, give up on clients that are late, drain when told to stop."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final

from serving.connection import Connection
from serving.lanes import Lane, Work
from serving.log import Log
from serving.metrics import Metrics
from serving.pages import Pages
from serving.settings import Settings

MAX_CONNECTIONS: Final = 1024
BACKLOG: Final = 2048
SWEEP_SECONDS: Final = 1.0
REPORT_SECONDS: Final = 60.0
"""How often counts go to the log as embedded metrics."""
QUIET_SECONDS: Final = 0.5
"""A drained server waits this long for requests that were already on their way."""
DRAIN_SECONDS: Final = 22.0
"""SageMaker kills a container 30 seconds after SIGTERM; we promise 25."""
_POLL_SECONDS: Final = 0.05


class Server:
    """Serves one application on one port."""

    def __init__(self, application: Pages, log: Log, metrics: Metrics | None = None) -> None:
        self.application = application
        self.log = log
        self.metrics = metrics or Metrics()
        self.lanes: Mapping[Work, Lane] = {work: Lane(work) for work in Work}
        self.request_ids = _request_ids()
        self.express = application.express(self.metrics, log, self.request_ids)
        self.loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()

    def admit(self, connection: Connection) -> bool:
        """Take a connection on, or say that there are too many."""
        self._connections.add(connection)
        return len(self._connections) <= MAX_CONNECTIONS

    def release(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    async def run(self, settings: Settings) -> None:
        """Serve until SIGTERM or SIGINT, then finish what is under way.

        Raises:
            OSError: the address cannot be listened on.
        """
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, stop.set)
        listener = await self.loop.create_server(
            lambda: Connection(self), settings.host, settings.port, backlog=BACKLOG, reuse_port=settings.workers > 1
        )
        host, port = listener.sockets[0].getsockname()[:2]
        self.log.event(
            "listening", host=host, port=port, model=self.application.model, evaluator=self.application.evaluator
        )
        if self.application.warning:
            self.log.event("warning", reason=self.application.warning)
        sweeper = asyncio.create_task(self._sweep())
        await stop.wait()
        await self._drain()
        sweeper.cancel()
        listener.close()
        for connection in tuple(self._connections):
            connection.close()
        for lane in self.lanes.values():
            lane.close()
        self.application.close()
        self.log.embedded(self.metrics.embedded(self.application.model))
        self.log.event("stopped")

    async def _sweep(self) -> None:
        reported = self.loop.time()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.loop.time()
            if now - reported >= REPORT_SECONDS:
                reported = now
                self.log.embedded(self.metrics.embedded(self.application.model))
            for connection in tuple(self._connections):
                if connection.deadline < now:
                    connection.expire()

    async def _drain(self) -> None:
        """Go on answering, each answer the last of its connection, until nothing has come for a while."""
        self.application.draining = True
        self.express = None  # what is answered from here on ends its connection
        self.log.event("draining", connections=len(self._connections))
        end = self.loop.time() + DRAIN_SECONDS
        quiet_since = self.loop.time()
        while (now := self.loop.time()) < end and now - quiet_since < QUIET_SECONDS:
            await asyncio.sleep(_POLL_SECONDS)
            if any(connection.busy for connection in self._connections):
                quiet_since = self.loop.time()


def _request_ids() -> Iterator[bytes]:
    origin = os.urandom(6).hex().encode()
    return (b"%b-%x" % (origin, number) for number in count())
