"""What the environment tells the server: where to listen, where the model lies, and how many of what."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.contract import (
    DEFAULT_ML_ROOT,
    DEFAULT_PORT,
    HOST_VARIABLE,
    ML_ROOT_VARIABLE,
    MODEL_DIRECTORY,
    MULTI_MODEL_VARIABLE,
    PORT_VARIABLE,
    WORKERS_PER_CORE,
    WORKERS_VARIABLE,
)
from serving.multi_model.memory import ModelMemory
from serving.variables import SettingsError, whole_number, yes_or_no

EVERY_INTERFACE: Final = "0.0.0.0"  # noqa: S104 - the container's own network namespace
MAX_PORT: Final = 65_535
MAX_WORKERS: Final = 256


@dataclass(frozen=True)
class Settings:
    """Where to listen (port 0: one that the system picks, told in the first log line), the model, processes.

    With `models`, the server is in multi-model mode: it starts without a model, and is told which to load.
    """

    host: str
    port: int
    model: Path
    workers: int = 1
    models: ModelMemory | None = None
    named: str | None = None
    """What the client calls the artifact in `model`, if it is unpacked from elsewhere."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables of `serving.contract`.

        Raises:
            SettingsError: one of them cannot be meant.
        """
        port = environment.get(PORT_VARIABLE, str(DEFAULT_PORT))
        root = Path(environment.get(ML_ROOT_VARIABLE, DEFAULT_ML_ROOT))
        multi_model = yes_or_no(MULTI_MODEL_VARIABLE, environment)
        return cls(
            host=environment.get(HOST_VARIABLE, EVERY_INTERFACE),
            port=whole_number(PORT_VARIABLE, port, f"a port from 0 to {MAX_PORT}", low=0, high=MAX_PORT),
            model=root / MODEL_DIRECTORY,
            workers=_workers(environment.get(WORKERS_VARIABLE, "1"), multi_model=multi_model),
            models=ModelMemory.read(environment) if multi_model else None,
        )


def _workers(text: str, *, multi_model: bool) -> int:
    if text == WORKERS_PER_CORE:
        return 1 if multi_model else len(os.sched_getaffinity(0))
    rule = f"{WORKERS_PER_CORE}, or a number from 1 to {MAX_WORKERS}"
    workers = whole_number(WORKERS_VARIABLE, text, rule, low=1, high=MAX_WORKERS)
    if multi_model and workers > 1:
        raise SettingsError(
            f"{WORKERS_VARIABLE} is {text}: with {MULTI_MODEL_VARIABLE} one process holds every model once: "
            f"set it to 1 or {WORKERS_PER_CORE}"
        )
    return workers
