"""`python -m serving serve`: load the model, then answer until told to stop."""

import os
import signal
import sys
from typing import Final

import uvloop

from serving.application import Application
from serving.contract import SERVE_COMMAND
from serving.core.errors import ArtifactError
from serving.core.predictor import Predictor
from serving.log import Log
from serving.server import Server
from serving.settings import Settings, SettingsError

USAGE: Final = 2


def main(arguments: list[str]) -> int:
    """Serve the model below the ML root; the exit code is 0 after a drained stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if arguments != [SERVE_COMMAND]:
        return _fail(f"usage: python -m serving {SERVE_COMMAND}", USAGE)
    try:
        settings = Settings.read(os.environ)
        application = Application(Predictor.load(settings.model))
    except SettingsError as error:
        return _fail(str(error), USAGE)
    except ArtifactError as error:
        return _fail(f"cannot serve the model in {settings.model}: {error}")
    try:
        uvloop.run(_serve(application, settings))
    except OSError as error:
        return _fail(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}")
    return 0


async def _serve(application: Application, settings: Settings) -> None:
    await Server(application, Log()).run(settings)


def _fail(reason: str, code: int = 1) -> int:
    sys.stderr.write(f"{reason}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
