"""The local cloud of an environment: where it lives, and beginning it from nothing."""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from infra.config import EnvironmentConfig, FileState
from infra.errors import UserError
from infra.local import lifecycle

LOOPBACK: Final = ("127.0.0.1", "localhost")
SANDBOXES: Final = ("training-jobs", "processing-jobs", "transform-jobs", "endpoints", "lambda")
"""What jobs, endpoints and functions of a local cloud leave in its folder, for people to look at while it is up."""


@dataclass(frozen=True)
class Place:
    """Where an environment's local cloud lives: a folder of the project and a port of this machine."""

    environment: EnvironmentConfig
    project: Path
    """The folder that the environment's paths are relative to."""

    @property
    def home(self) -> Path:
        """`build/<environment>` in the project."""
        return self.project / "build" / self.environment.name

    def settings(self, begin: datetime | None = None) -> lifecycle.Settings:
        """What the cloud is told when it starts.

        Raises:
            UserError: the environment is not one of this machine.
        """
        region, account = self.environment.region, self.environment.account
        return lifecycle.Settings(self.home, _port(self.environment), region, account, begin)


def bring_up(
    place: Place, *, begin: datetime | None = None, waiting: Callable[[], None] = lambda: None
) -> tuple[lifecycle.Handle, list[Path]]:
    """Start the local cloud of an environment from nothing.

    What is in a local cloud is in memory and ends with it, so the Terraform state and the release locks that speak of
    an earlier one are removed, and so are the folders that its jobs ran in.

    Returns:
        The cloud, and the files that were removed.

    Raises:
        UserError: it runs already, its port is taken, or the environment is not one of this machine.
    """
    settings = place.settings(begin)
    require_free(settings.port)
    removed = list(_stale_files(place))
    for file in removed:
        file.unlink()
    for folder in SANDBOXES:
        shutil.rmtree(place.home / folder, ignore_errors=True)
    return lifecycle.start(settings, waiting), removed


def require_free(port: int) -> None:
    """Refuse a port that another program listens on.

    Raises:
        UserError: one does; the message says what to do.
    """
    with socket.socket() as probe:
        if probe.connect_ex((LOOPBACK[0], port)) == 0:
            raise UserError(
                f"port {port} of {LOOPBACK[0]} is taken by another program: stop it (`lsof -i :{port}` names it), "
                "or give the environment's endpoint_url another port"
            )


def _port(environment: EnvironmentConfig) -> int:
    file, url = f"environments/{environment.name}.yaml", environment.endpoint_url
    if url is None:
        raise UserError(f"{file} names no endpoint_url, so {environment.name} is on AWS: nothing to start here")
    address = urlsplit(str(url))
    if address.hostname not in LOOPBACK or address.scheme != "http" or address.port is None:
        raise UserError(f"{file}: endpoint_url is {url}: a local cloud has http://{LOOPBACK[0]}:<port>, nothing else")
    return address.port


def _stale_files(place: Place) -> Iterator[Path]:
    state = place.environment.state
    if isinstance(state, FileState):
        yield from sorted((place.project / state.directory).glob("*.tfstate*"))
    yield from sorted((place.project / place.environment.releases).glob("*.json"))
