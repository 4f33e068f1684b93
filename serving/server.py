"""The server's life: listen, give up on clients that are late, drain when told to stop."""

import asyncio
import signal
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

from serving.application import Application
from serving.connection import Connection
from serving.log import Log
from serving.settings import Settings

MAX_CONNECTIONS: Final = 1024
BACKLOG: Final = 2048
SWEEP_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 0.5
"""A drained server waits this long for requests that were already on their way."""
DRAIN_SECONDS: Final = 25.0
"""SageMaker kills a container 30 seconds after SIGTERM."""
_POLL_SECONDS: Final = 0.05


class Server:
    """Serves one application on one port."""

    def __init__(self, application: Application, log: Log) -> None:
        self.application = application
        self.log = log
        self.loop = asyncio.get_running_loop()
        self.executor: Executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large")
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
            lambda: Connection(self), settings.host, settings.port, backlog=BACKLOG
        )
        host, port = listener.sockets[0].getsockname()[:2]
        self.log.event("listening", host=host, port=port, model=self.application.model)
        sweeper = asyncio.create_task(self._sweep())
        await stop.wait()
        await self._drain()
        sweeper.cancel()
        listener.close()
        for connection in tuple(self._connections):
            connection.close()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.log.event("stopped")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.loop.time()
            for connection in tuple(self._connections):
                if connection.deadline < now:
                    connection.expire()

    async def _drain(self) -> None:
        """Go on answering, each answer the last of its connection, until nothing has come for a while."""
        self.application.draining = True
        self.log.event("draining", connections=len(self._connections))
        end = self.loop.time() + DRAIN_SECONDS
        quiet_since = self.loop.time()
        while (now := self.loop.time()) < end and now - quiet_since < QUIET_SECONDS:
            await asyncio.sleep(_POLL_SECONDS)
            if any(connection.busy for connection in self._connections):
                quiet_since = self.loop.time()
