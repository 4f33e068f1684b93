"""The library compiled of `monitoring/native`: the monitoring image has it; without it all is the same, but slower."""

import ctypes
import os

from monitoring.contract import SCAN_LIBRARY_VARIABLE


def scan_library() -> ctypes.CDLL | None:
    """The library; None where there is none, or none that can be loaded."""
    path = os.environ.get(SCAN_LIBRARY_VARIABLE)
    try:
        return ctypes.CDLL(path) if path else None
    except OSError:
        return None
