"""ContainerLatency: how long each container of an inference pipeline took, every minute.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-logs-metrics.html
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from infra.local.cloud import LocalCloud
from infra.local.endpoints.concurrency import NAMESPACE
from infra.local.endpoints.quiet import MINUTE
from infra.local.endpoints.statistic_sets import Distribution

MICROSECONDS = 1e6


class Key(NamedTuple):
    """One container in one minute."""

    endpoint: str
    variant: str
    container: str
    minute: datetime


class ContainerLatency:
    """Collects latencies, and publishes each minute when it is over."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._minutes: dict[Key, Distribution] = {}
        self._lock = threading.Lock()

    def note(self, endpoint: str, variant: str, seconds: Mapping[str, float]) -> None:
        """Take in what each container of one request took."""
        minute = self._cloud.clock.now().replace(second=0, microsecond=0)
        for container, took in seconds.items():
            key = Key(endpoint, variant, container, minute)
            with self._lock:
                is_first = key not in self._minutes
                self._minutes.setdefault(key, Distribution()).add(took * MICROSECONDS)
            if is_first:
                self._cloud.clock.at(minute + MINUTE, partial(self._publish, key))

    def _publish(self, key: Key) -> None:
        with self._lock:
            latencies = self._minutes.pop(key)
        named = {"ContainerName": key.container, "EndpointName": key.endpoint, "VariantName": key.variant}
        one = {
            "MetricName": "ContainerLatency",
            "Unit": "Microseconds",
            "Timestamp": key.minute,
            "Dimensions": [{"Name": name, "Value": value} for name, value in named.items()],
        }
        data = [one | {"StatisticValues": values} for values in latencies.sets()]
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
