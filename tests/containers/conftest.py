"""A container engine, and the images built once; where no engine answers the tests are skipped with the reason."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from infra import containers
from infra.local import lifecycle

BEGIN = datetime(2013, 8, 1, 6, tzinfo=UTC)
"""When the drift job of July is due."""


@pytest.fixture(scope="session")
def engine() -> list[str]:
    command = containers.engine()
    if command is None:
        if os.environ.get("CI"):
            pytest.fail("in CI the images must run: no container engine answers")
        pytest.skip("no container engine answers: install docker or podman, or name one in CONTAINER_ENGINE")
    return command


@pytest.fixture(scope="session")
def image(engine: list[str]) -> Callable[[str], str]:
    """Build an image on first use; its name."""
    return lambda name: containers.build(name, engine)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A local cloud for what a container asks of S3 and CloudWatch."""
    handle = lifecycle.start(lifecycle.Settings(tmp_path_factory.mktemp("cloud"), begin=BEGIN))
    yield handle
    handle.stop()
