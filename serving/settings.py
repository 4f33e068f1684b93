"""What the environment tells the server: where to listen, and where the model lies."""

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
)

EVERY_INTERFACE: Final = "0.0.0.0"  # noqa: S104 - the container's own network namespace
MAX_PORT: Final = 65_535


class SettingsError(ValueError):
    """An environment variable that cannot be meant; the message says which and why."""


@dataclass(frozen=True)
class Settings:
    """Where to listen (port 0: one that the system picks, named in the first log line), and the model's folder."""

    host: str
    port: int
    model: Path

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables of `serving.contract`.

        Raises:
            SettingsError: the port is not one.
        """
        port = environment.get(PORT_VARIABLE, str(DEFAULT_PORT))
        if not (port.isascii() and port.isdecimal() and int(port) <= MAX_PORT):
            raise SettingsError(f"{PORT_VARIABLE} is {port!r:.40}: it must be a port from 0 to {MAX_PORT}")
        root = Path(environment.get(ML_ROOT_VARIABLE, DEFAULT_ML_ROOT))
        return cls(environment.get(HOST_VARIABLE, EVERY_INTERFACE), int(port), root / MODEL_DIRECTORY)
