"""A shadow variant: asked what production is asked, so that its answers can be looked at and are never returned.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests.html
"""

import logging
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from infra.local.cloud import LocalCloud
from infra.local.endpoints.variant import Variant

MOST_AT_ONCE: Final = 16
"""Copies beyond these are dropped: a shadow that cannot keep up must not pile up threads."""
INVOCATION_SOURCE: Final = "ShadowExperiment"
"""What capture records of a shadow say of themselves."""
log = logging.getLogger(__name__)


class Shadow:
    """Copies of requests, on their way to a shadow variant."""

    def __init__(self, variant: Variant, production_weight: float) -> None:
        """Shadow production variants of together this weight: the shadow's own, as a part of it, is its sample."""
        self.variant = variant
        self._production_weight = Fraction(str(production_weight or 1))
        self._credit = Fraction(0)
        self._sampling = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def is_sampled(self) -> bool:
        """Whether the next request is to be copied: of any n, exactly n x weight, rounded down, evenly spread."""
        with self._sampling:
            self._credit += min(Fraction(str(self.variant.weight)) / self._production_weight, Fraction(1))
            sampled = self._credit >= 1
            self._credit -= sampled
        return sampled

    def copy(self, cloud: LocalCloud, ask: Callable[[Variant], None]) -> None:
        """Have `ask` invoke the variant on a thread of its own, if this request is one of the sample."""
        if not self.is_sampled():
            return
        if not self._free.acquire(blocking=False):
            log.warning("shadow variant %s is %d requests behind: a copy is dropped", self.variant.name, MOST_AT_ONCE)
            return

        def run() -> None:
            try:
                ask(self.variant)
            finally:
                self._free.release()

        cloud.start(f"shadow variant {self.variant.name} answers", run)
