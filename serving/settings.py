"""What the environment tells the server: where to listen, and where the model lies."""

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
    PORT_VARIABLE,
    WORKERS_PER_CORE,
    WORKERS_VARIABLE,
)

EVERY_INTERFACE: Final = "0.0.0.0"  # noqa: S104 - the container's own network namespace
MAX_PORT: Final = 65_535
MAX_WORKERS: Final = 256


class SettingsError(ValueError):
    """An environment variable that cannot be meant; the message says which and why."""


@dataclass(frozen=True)
class Settings:
    """Where to listen (port 0: one that the system picks, told in the first log line), the model, processes."""

    host: str
    port: int
    model: Path
    workers: int = 1

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables of `serving.contract`.

        Raises:
            SettingsError: the port or the number of workers is not one.
        """
        port = environment.get(PORT_VARIABLE, str(DEFAULT_PORT))
        if not (port.isascii() and port.isdecimal() and int(port) <= MAX_PORT):
            raise SettingsError(f"{PORT_VARIABLE} is {port!r:.40}: it must be a port from 0 to {MAX_PORT}")
        root = Path(environment.get(ML_ROOT_VARIABLE, DEFAULT_ML_ROOT))
        host = environment.get(HOST_VARIABLE, EVERY_INTERFACE)
        return cls(host, int(port), root / MODEL_DIRECTORY, _workers(environment.get(WORKERS_VARIABLE, "1")))


def _workers(text: str) -> int:
    if text == WORKERS_PER_CORE:
        return len(os.sched_getaffinity(0))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_WORKERS):
        raise SettingsError(
            f"{WORKERS_VARIABLE} is {text!r:.40}: it must be {WORKERS_PER_CORE}, or a number from 1 to {MAX_WORKERS}"
        )
    return int(text)
