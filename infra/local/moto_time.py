"""moto told the local cloud's time, so that every service's timestamps follow the clock."""

import sys
from datetime import datetime

import moto.core.utils

from infra.local.cloud import LocalCloud


def install(cloud: LocalCloud) -> None:
    """Replace moto's idea of now, in its core and in every module that has imported it from there."""
    original = moto.core.utils.utcnow

    def utcnow() -> datetime:
        return cloud.clock.now().replace(tzinfo=None)

    moto.core.utils.utcnow = utcnow
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is original:
            module.utcnow = utcnow  # type: ignore[attr-defined]
