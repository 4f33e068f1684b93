"""Endpoint metrics in CloudWatch: one statistic set a minute, metric and variant.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Self

from infra.local.cloud import LocalCloud
from infra.local.endpoints.concurrency import NAMESPACE, Concurrency, datum
from infra.local.endpoints.dispatch import Outcome
from infra.local.endpoints.quiet import LONE_QUIET_MINUTES, MINUTE, QUIET_MINUTES, Key, Quiet
from infra.local.endpoints.statistic_sets import Distribution
from infra.local.validation import Json


@dataclass(frozen=True)
class Invocation:
    """What the metrics tell of one invocation."""

    status: int
    model_seconds: float
    overhead_seconds: float
    instances: int
    more: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Of its kind of endpoint."""

    @classmethod
    def of(cls, outcome: Outcome, overhead_seconds: float) -> Self:
        """What there is to tell of an outcome."""
        more = outcome.answer.measured
        return cls(outcome.status, outcome.model_seconds, overhead_seconds, outcome.variant.instances, more)

    def values(self) -> dict[tuple[str, str], float]:
        """Each metric's value, by name and unit."""
        kind = self.status // 100 * 100
        return {
            ("Invocations", "None"): 1.0,
            ("InvocationsPerInstance", "None"): 1.0 / self.instances,
            ("ModelLatency", "Microseconds"): self.model_seconds * 1e6,
            ("OverheadLatency", "Microseconds"): self.overhead_seconds * 1e6,
            ("Invocation4XXErrors", "None"): float(kind == HTTPStatus.BAD_REQUEST),
            ("Invocation5XXErrors", "None"): float(kind == HTTPStatus.INTERNAL_SERVER_ERROR),
            **self.more,
        }


@dataclass
class Window:
    """One minute of one variant."""

    minute: datetime
    instances: int
    metrics: dict[tuple[str, str], Distribution] = field(default_factory=dict)

    def add(self, invocation: Invocation) -> None:
        """Take in one more invocation."""
        for name, value in invocation.values().items():
            self.metrics.setdefault(name, Distribution()).add(value)


class EndpointMetrics:
    """Collects what happened, and publishes each minute when it is over."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._windows: dict[Key, Window] = {}
        self._counted: set[Key] = set()
        self._lock = threading.Lock()
        self._quiet = Quiet(cloud.clock, self._publish_nothing)
        self._concurrency = Concurrency(cloud)

    def note(self, endpoint: str, variant: str, invocation: Invocation) -> None:
        """Count one invocation."""
        minute = self._minute()
        key = (endpoint, variant)
        self._concurrency.note(key, invocation.model_seconds / invocation.instances)
        with self._lock:
            window = self._windows.get(key)
            over = self._windows.pop(key) if window and window.minute != minute else None
            if key not in self._windows:
                self._windows[key] = Window(minute, invocation.instances)
                self._counted.add(key)
                self._quiet.end(key)
                self._cloud.clock.at(minute + MINUTE, lambda: self._publish_minute(key, minute))
            self._windows[key].add(invocation)
        if over:
            self._publish(key, over)

    def rescaled(self, endpoint: str, variant: str, instances: int) -> None:
        """Begin the quiet minutes of a variant that has had requests anew: so many instances are quiet from now on."""
        key = (endpoint, variant)
        if key in self._counted and key not in self._windows:
            self._begin_quiet(key, self._minute(), instances)

    def publish(self, endpoint: str) -> None:
        """Publish what there is of an endpoint that is going away."""
        with self._lock:
            windows = {key: self._windows.pop(key) for key in list(self._windows) if key[0] == endpoint}
        for key in [key for key in self._counted if key[0] == endpoint]:
            self._quiet.end(key)
            self._counted.discard(key)
        for key, window in windows.items():
            self._publish(key, window)

    def _minute(self) -> datetime:
        return self._cloud.clock.now().replace(second=0, microsecond=0)

    def _publish_minute(self, key: Key, minute: datetime) -> None:
        with self._lock:
            if key not in self._windows or self._windows[key].minute != minute:
                return
            window = self._windows.pop(key)
        self._begin_quiet(key, minute + MINUTE, window.instances)
        self._publish(key, window)

    def _begin_quiet(self, key: Key, minute: datetime, instances: int) -> None:
        self._quiet.begin(key, minute, QUIET_MINUTES if instances > 1 else LONE_QUIET_MINUTES)

    def _publish(self, key: Key, window: Window) -> None:
        self._put(
            datum(key, window.minute, name, values)
            for name, distribution in window.metrics.items()
            for values in distribution.sets()
        )

    def _publish_nothing(self, key: Key, minute: datetime) -> None:
        nothing = {"SampleCount": 1, "Sum": 0, "Minimum": 0, "Maximum": 0}
        requests = [datum(key, minute, (name, "None"), nothing) for name in ("Invocations", "InvocationsPerInstance")]
        self._put([*requests, *self._concurrency.nothing(key, minute)])

    def _put(self, data: Iterable[Json]) -> None:
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=list(data))
