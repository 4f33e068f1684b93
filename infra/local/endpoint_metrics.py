"""Endpoint metrics in CloudWatch: one statistic set a minute, metric and variant.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self

from infra.local.cloud import LocalCloud
from infra.local.dispatch import Outcome
from infra.local.validation import Json

NAMESPACE = "AWS/SageMaker"
MINUTE = timedelta(minutes=1)
Key = tuple[str, str]
"""Endpoint and variant."""


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
class Statistics:
    """A statistic set."""

    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, value: float) -> None:
        """Take in one more value."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)


@dataclass
class Window:
    """One minute of one variant."""

    minute: datetime
    metrics: dict[tuple[str, str], Statistics] = field(default_factory=dict)


class EndpointMetrics:
    """Collects what happened, and publishes each minute when it is over."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._windows: dict[Key, Window] = {}
        self._lock = threading.Lock()

    def note(self, endpoint: str, variant: str, invocation: Invocation) -> None:
        """Count one invocation."""
        minute = self._cloud.clock.now().replace(second=0, microsecond=0)
        key = (endpoint, variant)
        with self._lock:
            window = self._windows.get(key)
            over = self._windows.pop(key) if window and window.minute != minute else None
            if key not in self._windows:
                self._windows[key] = Window(minute)
                self._cloud.clock.at(minute + MINUTE, lambda: self._publish_minute(key, minute))
            metrics = self._windows[key].metrics
            for name, value in invocation.values().items():
                metrics.setdefault(name, Statistics()).add(value)
        if over:
            self._publish(key, over)

    def publish(self, endpoint: str) -> None:
        """Publish what there is of an endpoint that is going away."""
        with self._lock:
            windows = {key: self._windows.pop(key) for key in list(self._windows) if key[0] == endpoint}
        for key, window in windows.items():
            self._publish(key, window)

    def _publish_minute(self, key: Key, minute: datetime) -> None:
        with self._lock:
            if key not in self._windows or self._windows[key].minute != minute:
                return
            window = self._windows.pop(key)
        self._publish(key, window)

    def _publish(self, key: Key, window: Window) -> None:
        data = [_datum(key, window.minute, name, statistics) for name, statistics in window.metrics.items()]
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _datum(key: Key, minute: datetime, metric: tuple[str, str], statistics: Statistics) -> Json:
    endpoint, variant = key
    name, unit = metric
    return {
        "MetricName": name,
        "Unit": unit,
        "Timestamp": minute,
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        "StatisticValues": {
            "SampleCount": statistics.count,
            "Sum": statistics.total,
            "Minimum": statistics.least,
            "Maximum": statistics.most,
        },
    }
