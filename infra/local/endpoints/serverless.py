"""Serverless variants: started by the first request, and never asked by more callers at once than they may.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.serving_process import NotAnsweredError, UnhealthyError
from infra.local.endpoints.variant import Host, RetiredError, ThrottledError, Variant
from infra.local.validation import Json

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
MICROSECONDS: Final = 1e6


class ServerlessVariant(Variant):
    """One process for all that is asked at once; AWS has one for each."""

    max_body_bytes = MAX_BODY_BYTES
    has_instances = False

    def __init__(self, host: Host, endpoint: str, folder: Path, production_variant: Json) -> None:
        super().__init__(host, endpoint, folder, {"InitialInstanceCount": 1, **production_variant})
        self._serverless: Json = production_variant["ServerlessConfig"]
        self._asked = 0
        self._counting = threading.Lock()

    def capacity(self) -> Json:
        """What a description tells of it."""
        return {"CurrentServerlessConfig": self._serverless, "DesiredServerlessConfig": self._serverless}

    def start(self, volume_key: str | None = None) -> None:
        """See that the model can be served; it stays ready if concurrency is provisioned."""
        super().start(volume_key)
        if not self._serverless.get("ProvisionedConcurrency"):
            with self._changing:
                leaving, self._running = self._running, []
            for instance in leaving:
                instance.retire()

    def answer(self, request: Request) -> Answer:
        """Answer, after starting the container if this is the first request.

        Raises:
            ThrottledError: MaxConcurrency requests are being answered.
            RetiredError, NotAnsweredError, TimeoutError: as of any variant.
        """
        with self._slot() as measured:
            setup_seconds = self._warm_up()
            if setup_seconds is not None:
                measured["ModelSetupTime", "Microseconds"] = setup_seconds * MICROSECONDS
            return replace(super().answer(request), measured=measured)

    @contextmanager
    def _slot(self) -> Iterator[dict[tuple[str, str], float]]:
        most, provisioned = self._serverless["MaxConcurrency"], self._serverless.get("ProvisionedConcurrency")
        with self._counting:
            if self._asked >= most:
                raise ThrottledError
            self._asked += 1
            measured = {("ServerlessConcurrentExecutionsUtilization", "None"): self._asked / most}
            if provisioned:
                used = min(self._asked / provisioned, 1.0)
                measured["ServerlessProvisionedConcurrencyUtilization", "None"] = used
        try:
            yield measured
        finally:
            with self._counting:
                self._asked -= 1

    def _warm_up(self) -> float | None:
        """Start the container unless it runs; how long that took."""
        if self._running:
            return None
        began = time.perf_counter()
        with self._changing:
            if self._retired:
                raise RetiredError
            if not self._running:
                try:
                    self._running = [self._started()]
                except UnhealthyError as error:
                    raise NotAnsweredError(str(error)) from error
        return time.perf_counter() - began
