"""`python -m serving serve`: load the model, then answer until told to stop."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop

from serving.application import Application
from serving.contract import MODELS_PATH, MULTI_MODEL_VARIABLE, SERVE_COMMAND
from serving.core.errors import ArtifactError
from serving.core.predictor import Predictor
from serving.lines import Lines
from serving.log import Log
from serving.metrics import Metrics, shared_memory
from serving.pages import Pages
from serving.server import Server
from serving.settings import Settings
from serving.trial import Trial, try_out
from serving.variables import SettingsError
from serving.workers import bind, supervise

USAGE: Final = 2


def main(arguments: list[str]) -> int:
    """Serve the model below the ML root, or another artifact; the exit code is 0 after a drained stop."""
    if arguments[:1] != [SERVE_COMMAND] or len(arguments) > len((SERVE_COMMAND, "artifact")):
        return _fail(f"usage: python -m serving {SERVE_COMMAND} [model.tar.gz or folder]", USAGE)
    try:
        settings = Settings.read(os.environ)
    except SettingsError as error:
        return _fail(str(error), USAGE)
    if len(arguments) == 1:
        return _serve(settings)
    if settings.models:
        return _fail(f"{MULTI_MODEL_VARIABLE} is true: such a server is told its models by {MODELS_PATH}", USAGE)
    from serving.core.artifact import unpacked  # noqa: PLC0415 - SageMaker unpacks by itself

    try:
        with unpacked(Path(arguments[1])) as model:
            return _serve(replace(settings, model=model, named=arguments[1]))
    except ArtifactError as error:
        return _fail(f"cannot serve {arguments[1]}: {error}")


def _serve(settings: Settings) -> int:
    if settings.workers == 1:
        return _work(settings, Metrics())
    try:
        held = bind(settings.host, settings.port)
    except OSError as error:
        return _fail(_no_port(settings, error))
    with held:
        shared = replace(settings, port=held.getsockname()[1])
        counts = shared_memory(settings.workers)
        return supervise(settings.workers, lambda worker, fit: _work(shared, Metrics(counts, worker), fit), Log())


def _work(settings: Settings, metrics: Metrics, fit: Callable[[], None] = lambda: None) -> int:
    """Load the model, tell that it was `fit` to be, and serve until told to stop; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        application = _application(settings, metrics)
    except ArtifactError as error:
        return _fail(f"cannot serve {settings.named or f'the model in {settings.model}'}: {error}")
    fit()
    gc.freeze()  # what is loaded by now stays: collections need not look at it again
    try:
        uvloop.run(_run(application, metrics, settings))
    except OSError as error:
        return _fail(_no_port(settings, error))
    return 0


def _application(settings: Settings, metrics: Metrics) -> Pages:
    if settings.models:
        from serving.multi_model.application import MultiModelApplication  # noqa: PLC0415 - that mode's alone
        from serving.multi_model.models import Models  # noqa: PLC0415 - likewise

        return MultiModelApplication(Models(settings.models, Trial()), metrics)
    try_out(settings.model)
    return Application(Predictor.load(settings.model), metrics, workers=settings.workers)


async def _run(application: Pages, metrics: Metrics, settings: Settings) -> None:
    lines = Lines(metrics.count_dropped_line)
    try:
        await Server(application, Log(lines.write), metrics).run(settings)
    finally:
        lines.close()


def _no_port(settings: Settings, error: OSError) -> str:
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return f"cannot listen on {settings.host}:{settings.port}: {reason}: choose another port, or end what has it"


def _fail(reason: str, code: int = 1) -> int:
    sys.stderr.write(f"{reason}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
