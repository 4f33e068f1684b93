"""How much memory models may take together, and about how much one takes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.contract import MODELS_EVICT_VARIABLE, MODELS_MEMORY_VARIABLE
from serving.core.signature import read_signature
from serving.variables import whole_number, yes_or_no

MEBIBYTE: Final = 1_048_576
SHARE: Final = 0.7
"""Of the memory there is: requests and answers need some too."""
BYTES_A_FILE_BYTE: Final = 2.0
"""Measured: a LightGBM model takes 1.3 times its text, and that again for a moment while it is read."""
BYTES_A_MODEL: Final = 256 * 1024
"""What a model takes however small it is."""
_MOST: Final = 64 * MEBIBYTE
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class ModelMemory:
    """What loaded models may take together, and whether those not asked for longest make room for a new one."""

    limit_bytes: int
    evict: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ModelMemory":
        """As the environment says, else a share of the container's or the machine's memory, and no eviction.

        Raises:
            SettingsError: a variable is no number of MiB, or neither true nor false.
        """
        evict = yes_or_no(MODELS_EVICT_VARIABLE, environment)
        text = environment.get(MODELS_MEMORY_VARIABLE)
        if text is None:
            return cls(int(_memory_bytes() * SHARE), evict)
        number = whole_number(MODELS_MEMORY_VARIABLE, text, f"a number of MiB from 1 to {_MOST}", low=1, high=_MOST)
        return cls(number * MEBIBYTE, evict)


def model_bytes(folder: Path) -> int:
    """About how much memory the model in a folder takes once it is loaded.

    Raises:
        ArtifactError: its signature cannot be read.
    """
    model = folder / read_signature(folder).model_file
    size = model.stat().st_size if model.is_file() else 0  # that it is missing, loading says
    return BYTES_A_MODEL + int(size * BYTES_A_FILE_BYTE)


def _memory_bytes() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        return machine
