"""A local cloud whose images are the small programs in `images/`, and whose patience is a test's.

Run as `python fake_cloud.py --home FOLDER`: a process of its own, so that moto stays as it is in that of the tests.
"""

import sys
from pathlib import Path
from subprocess import Popen
from typing import Any

from infra.local import server
from infra.local.cloud import LocalCloud
from infra.local.endpoints import api as endpoints
from infra.local.engine import Container, ProcessEngine, Sandbox
from infra.local.jobs import api as jobs

IMAGES = {name: ("python", "-m", f"fake_{name}") for name in ("job", "server", "step")}
IMAGES |= {"serving": IMAGES["server"]}  # by the name of the repository that endpoints' roles may pull from
FAULTS = 2


class FaultyEngine(ProcessEngine):
    """Cannot start the command `fault` at first, as a service with a fault cannot."""

    def __init__(self, cloud: LocalCloud) -> None:
        super().__init__(cloud, IMAGES, Path(__file__).parent / "images")
        self._faults = FAULTS

    def start(self, container: Container, sandbox: Sandbox) -> Popen[bytes]:
        """Start a container, or fail to."""
        if container.arguments == ("fault",) and self._faults:
            self._faults -= 1
            raise OSError("no machine to be had")
        return super().start(container, sandbox)


class FakeCloud(server.LocalServer):
    """A local cloud with these images in place of the project's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        engine = FaultyEngine(self.cloud)
        jobs.install(self.cloud, engine, stop_grace_seconds=0.5)
        endpoints.install(self.cloud, engine, health_check_seconds=1.5)


if __name__ == "__main__":
    server.LocalServer = FakeCloud
    sys.exit(server.main())
