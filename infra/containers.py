"""Build the images with whatever container engine there is: `make images`."""

import os
import shlex
import shutil
import subprocess
import sys

from infra.errors import UserError
from infra.images import IMAGES, PROJECT, dockerfile, tag

ENGINE_VARIABLE = "CONTAINER_ENGINE"
"""The engine's command, of several words if need be; docker or podman on the PATH unless set."""
BASE_IMAGE_VARIABLE = "BASE_IMAGE"
"""Another base image than the Dockerfiles' own, where no registry can be reached."""


def engine() -> list[str] | None:
    """The container engine's command; None if there is none."""
    if chosen := os.environ.get(ENGINE_VARIABLE):
        return shlex.split(chosen)
    return next(([name] for name in ("docker", "podman") if _answers(name)), None)


def local_name(image: str) -> str:
    """The name an image is built under on this machine; its tag is the one that the infrastructure names."""
    return f"localhost/sagestack/{image}:{tag(image)}"


def build(image: str, command: list[str]) -> str:
    """Build one image, unless its content hash has been built already; its name.

    Raises:
        UserError: the build failed; the engine's own words are on the terminal.
    """
    name = local_name(image)
    if subprocess.run([*command, "image", "inspect", name], capture_output=True, check=False).returncode == 0:
        return name
    base = os.environ.get(BASE_IMAGE_VARIABLE)
    arguments = [
        *(["--format", "docker"] if "podman" in command[0] else []),  # HEALTHCHECK is docker's
        *(["--build-arg", f"BASE_IMAGE={base}"] if base else []),
        *("--network", "host", "--file", str(dockerfile(image)), "--tag", name),
    ]
    if subprocess.run([*command, "build", *arguments, str(PROJECT)], check=False).returncode != 0:
        raise UserError(f"the image {image} could not be built: see above; its recipe is {dockerfile(image)}")
    return name


def main() -> int:
    """Build all images; the exit code."""
    command = engine()
    if command is None:
        sys.stderr.write(f"no container engine answers: install docker or podman, or name one in {ENGINE_VARIABLE}\n")
        return 2
    try:
        for image in IMAGES:
            sys.stdout.write(f"{build(image, command)}\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _answers(name: str) -> bool:
    if shutil.which(name) is None:
        return False
    return subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
