"""The library compiled of `monitoring/native`: the monitoring image has it; without it all is the same, but slower."""

import ctypes
import os
from functools import cache

from monitoring.contract import SCAN_LIBRARY_VARIABLE


def scan_library() -> ctypes.CDLL | None:
    """The library; None where there is none, or none that can be loaded."""
    path = os.environ.get(SCAN_LIBRARY_VARIABLE)
    return _loaded(path) if path else None


@cache
def _loaded(path: str) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    array, size = ctypes.c_void_p, ctypes.c_int64
    library.columns_at_most.argtypes = (array, size, array, size, array)
    return library
