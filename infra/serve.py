"""`sagestack serve`: the server of the serving image, on a model artifact of one's own."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import UserError
from serving.contract import DEFAULT_PORT, ENTRYPOINT, HOST_VARIABLE, PORT_VARIABLE, SERVE_COMMAND, WORKERS_VARIABLE

HOST = "127.0.0.1"
NEEDS = ("lightgbm", "numpy", "orjson", "uvloop", "httptools")


def serve(
    artifact: Annotated[Path, typer.Argument(metavar="MODEL_ARTIFACT", help="A model.tar.gz, or its unpacked folder.")],
    port: Annotated[
        int, typer.Option(help="Where to listen, on 127.0.0.1; 0: a port that is free.", min=0, max=65535)
    ] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=256)] = 1,
) -> None:
    """Answer requests for a model artifact on this machine, as its endpoint would, until interrupted."""
    if not artifact.exists():
        raise UserError(f"there is no {artifact}: name a model.tar.gz, or a folder with its files")
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise UserError(f"`sagestack serve` needs {', '.join(missing)}: pip install 'sagestack[serving]'")
    told = {HOST_VARIABLE: HOST, PORT_VARIABLE: str(port), WORKERS_VARIABLE: str(workers)}
    command = [sys.executable, *ENTRYPOINT[1:], SERVE_COMMAND, str(artifact)]
    os.execve(sys.executable, command, os.environ | told)  # noqa: S606 - in this process's place: every signal is the server's
