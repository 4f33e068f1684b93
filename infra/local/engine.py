"""Running an image. The process engine runs the package on this machine that the image is built from."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from subprocess import Popen
from typing import Protocol

from infra import processes
from infra.local.cloud import LocalCloud
from monitoring import contract as monitoring
from serving import contract as serving
from training import contract as training

PROJECT = Path(__file__).parents[2]
OUR_IMAGES: Mapping[str, tuple[str, ...]] = {
    contract.IMAGE: contract.ENTRYPOINT for contract in (training, serving, monitoring)
}
"""Image name to entry point."""


class ImageNotFoundError(Exception):
    """No image of that name can be run here."""


@dataclass(frozen=True)
class Container:
    """What SageMaker tells a container engine: the image, what to run in it, and its environment."""

    image: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    """Replaces the image's own, unless empty."""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The keys of its role as environment variables; none for a container without a network."""


@dataclass(frozen=True)
class Sandbox:
    """The folder that a container sees as its own; `ml` stands in for /opt/ml."""

    folder: Path
    host: str = "algo-1"
    """The container's name among those of its job."""

    @property
    def ml(self) -> Path:
        """What the container sees as /opt/ml."""
        return self.folder / "ml"

    @property
    def log(self) -> Path:
        """Standard output and standard error."""
        return self.folder / "log.txt"

    def path(self, container_path: str) -> Path:
        """Where an absolute path of the container is on this machine.

        Raises:
            ValueError: the path does not lie below /opt/ml.
        """
        path = PurePosixPath(container_path)
        if ".." in path.parts or not path.is_relative_to(serving.DEFAULT_ML_ROOT):
            raise ValueError(f"{container_path} does not lie below {serving.DEFAULT_ML_ROOT}")
        return self.ml / path.relative_to(serving.DEFAULT_ML_ROOT)


class Engine(Protocol):
    """Whoever can run an image."""

    def start(self, container: Container, sandbox: Sandbox) -> Popen[bytes]:
        """Start `container` in `sandbox`, its output appended to the sandbox's log.

        Raises:
            ImageNotFoundError: the image cannot be run here.
        """


class ProcessEngine:
    """Runs an image's package as a process of this machine, with the environment a container would have and no more."""

    def __init__(
        self, cloud: LocalCloud, images: Mapping[str, tuple[str, ...]] = OUR_IMAGES, python_path: Path = PROJECT
    ) -> None:
        self._cloud = cloud
        self._images = images
        self._python_path = python_path

    def start(self, container: Container, sandbox: Sandbox) -> Popen[bytes]:
        """Start the package's process; see `Engine`."""
        argv = self._command(container)
        home = sandbox.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        environment = self._environment(sandbox, home) | dict(container.environment) | dict(container.credentials)
        with sandbox.log.open("ab") as log:
            return processes.spawn(self._cloud.children, argv, env=environment, stdout=log, cwd=home)

    def _command(self, container: Container) -> list[str]:
        own = self._images.get(image_name(container.image))
        if own is None:
            raise ImageNotFoundError(
                f"no image '{container.image}' can be run here: the local cloud has {', '.join(self._images)}"
            )
        command = container.entrypoint or own
        if command[: len(own)] != own:
            raise ImageNotFoundError(
                f"image '{container.image}' has no '{' '.join(command)}' here: its entry point is '{' '.join(own)}'"
            )
        return [sys.executable, *command[1:], *container.arguments]

    def _environment(self, sandbox: Sandbox, home: Path) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(self._python_path),
            "PYTHONUNBUFFERED": "1",
            serving.ML_ROOT_VARIABLE: str(sandbox.ml),
            "AWS_ENDPOINT_URL": self._cloud.endpoint_url,
            "AWS_REGION": self._cloud.region,
            "AWS_DEFAULT_REGION": self._cloud.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def image_name(uri: str) -> str:
    """The last segment of an image URI's repository: `training` in `…amazonaws.com/acme-prod/training:1a2b`."""
    return uri.rsplit("/", 1)[-1].split("@", 1)[0].split(":", 1)[0]
