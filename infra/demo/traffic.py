"""Flights as requests to the live endpoint: a month's in batches, in the order scheduled, and a steady trickle."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl

from serving.contract import CSV

BATCH_ROWS = 250
TRICKLE_SECONDS = 0.05


class Traffic:
    """Sends rows as CSV in the features' order and keeps count of what was asked and what was not answered."""

    def __init__(self, runtime: Any, endpoint: str, features: Sequence[str]) -> None:  # noqa: ANN401 - a boto3 client
        self._runtime, self._endpoint, self._features = runtime, endpoint, list(features)
        self.sent = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()

    def score(self, flights: pl.DataFrame) -> np.ndarray:
        """The live endpoint's score of every flight: shape (rows,), NaN where a request failed."""
        return np.concatenate([self._ask(batch) for batch in flights.iter_slices(BATCH_ROWS)])

    @contextmanager
    def trickle(self, flights: pl.DataFrame) -> Iterator[None]:
        """One flight at a time, without a pause longer than 50 ms, for as long as the block runs."""
        stop = threading.Event()

        def send() -> None:
            for flight in itertools.cycle(flights.iter_slices(1)):
                if stop.is_set():
                    return
                self._ask(flight)
                time.sleep(TRICKLE_SECONDS)

        sender = threading.Thread(target=send, name="trickle", daemon=True)
        sender.start()
        try:
            yield
        finally:
            stop.set()
            sender.join()

    def _ask(self, flights: pl.DataFrame) -> np.ndarray:
        body = flights.select(self._features).write_csv(include_header=False)
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint, Body=body.encode(), ContentType=CSV, Accept=CSV
            )
            scores = np.array([float(line) for line in answer["Body"].read().splitlines()])
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the request was not answered, and that is counted
            return self._count(f"{type(error).__name__}: {error}", len(flights))
        if len(scores) != len(flights):
            return self._count(f"{len(scores)} scores for {len(flights)} flights", len(flights))
        self._count(None, 0)
        return scores

    def _count(self, failure: str | None, rows: int) -> np.ndarray:
        with self._lock:
            self.sent += 1
            if failure is not None:
                self.failures.append(failure)
        return np.full(rows, np.nan)
