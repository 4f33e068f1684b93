"""The local cloud's process: moto's server with every module installed, on a loopback port, until it is told to stop.

Run as `python -m infra.local.server --home FOLDER --port PORT`; people use `sagestack local up`.
"""

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from moto.core import DEFAULT_ACCOUNT_ID

from infra.local import record
from infra.local.application import Application
from infra.local.clock import Clock
from infra.local.cloud import LocalCloud
from infra.local.http import KeepAliveHandler, Server
from infra.local.unsupported import Environ, StartResponse

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
"""Loopback only: who signs with keys that are no role's may do anything."""
MODULES: Final = (
    "infra.local.service_models",
    "infra.local.unsupported",
    "infra.local.fidelity",
    "infra.local.identity.api",
    "infra.local.jobs.api",
    "infra.local.endpoints.api",
    "infra.local.pipelines.model_packages",
    "infra.local.pipelines.api",
    "infra.local.events.api",
    "infra.local.alarms.api",
    "infra.local.scaling.api",
    "infra.local.events.schedules",
    "infra.local.lambdas.api",
    "infra.local.moto_time",
)
"""Each has `install(cloud)`. The time comes last: it is told to every module of moto's that the others have loaded."""


class LocalServer:
    """A local cloud that listens: `serve` blocks until `stop` is called from another thread or a signal."""

    def __init__(self, home: Path, port: int, *, region: str, account: str, begin: datetime | None = None) -> None:
        """Bind `port` (0: any free one) and install every module.

        Raises:
            OSError: the port cannot be bound.
        """
        home.mkdir(parents=True, exist_ok=True)
        self._http = _bind(port)
        url = f"http://{HOST}:{self._http.port}"
        self.cloud = LocalCloud(home.resolve(), url, region, account, clock=Clock(begin))
        for module in MODULES:
            import_module(module).install(self.cloud)
        self._http.now, self._http.app = self.cloud.clock.now, Application(self.cloud)

    def serve(self) -> None:
        """Answer requests and fire timers; when told to stop, end everything that was started."""
        threading.Thread(target=self.cloud.clock.run, name="clock", daemon=True).start()
        log.info("ready at %s", self.cloud.endpoint_url)
        try:
            self._http.serve_forever(poll_interval=0.05)
        finally:
            self.cloud.stop()
            log.info("stopped")

    def stop(self) -> None:
        """Have `serve` return."""
        threading.Thread(target=self._http.shutdown, daemon=True).start()


def main(arguments: list[str] | None = None) -> int:
    """Run a local cloud until SIGTERM or SIGINT; 2 if it cannot start, with the reason on standard error."""
    options = _parser().parse_args(arguments)
    warnings.filterwarnings("ignore", "Exception.* does not match an error shape", module="moto")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        with record.held(options.home) as write:
            os.environ["MOTO_ACCOUNT_ID"] = options.account
            where = {"region": options.region, "account": options.account}
            server = LocalServer(options.home, options.port, **where, begin=options.begin)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.stop())
            write(record.Running(os.getpid(), server.cloud.endpoint_url))
            server.serve()
    except record.AlreadyRunningError as error:
        return _refuse(f"{options.home} already has a local cloud, process {error.running.pid}")
    except OSError as error:
        return _refuse(f"port {options.port} of {HOST} cannot be used: {error.strerror}")
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.server", description="Run a local cloud.")
    parser.add_argument("--home", type=Path, required=True, help="its folder")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT_ID)
    parser.add_argument("--begin", type=datetime.fromisoformat, help="the clock's first moment, with a time zone")
    return parser


def _bind(port: int) -> Server:
    with socket.create_server((HOST, port)) as bound:
        return Server(HOST, port, _starting, KeepAliveHandler, fd=bound.fileno())


def _starting(_environ: Environ, _start_response: StartResponse) -> Iterable[bytes]:
    raise AssertionError("no request is answered before every module is installed")


if __name__ == "__main__":
    sys.exit(main())
