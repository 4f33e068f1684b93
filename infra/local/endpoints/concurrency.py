"""ConcurrentRequestsPerModel: how many requests an instance has at once, every ten seconds.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import threading
from datetime import UTC, datetime, timedelta

from infra.local.cloud import LocalCloud
from infra.local.endpoints.quiet import Key
from infra.local.validation import Json

NAMESPACE = "AWS/SageMaker"
METRIC = ("ConcurrentRequestsPerModel", "None")
WINDOW_SECONDS = 10


class Concurrency:
    """By Little's law: the seconds that requests took within a window, over its length, is the mean number at once."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._busy_seconds: dict[tuple[Key, int], float] = {}
        self._lock = threading.Lock()

    def note(self, key: Key, seconds: float) -> None:
        """Count a request that has kept one of a variant's instances busy for so long."""
        window = int(self._cloud.clock.now().timestamp() // WINDOW_SECONDS)
        with self._lock:
            is_first = (key, window) not in self._busy_seconds
            self._busy_seconds[key, window] = self._busy_seconds.get((key, window), 0.0) + seconds
        if is_first:
            self._cloud.clock.at(_begin(window + 1), lambda: self._publish(key, window))

    def nothing(self, key: Key, minute: datetime) -> list[Json]:
        """What is to be published of a minute without requests."""
        windows = range(0, 60, WINDOW_SECONDS)
        return [_datum(key, minute + timedelta(seconds=second), 0.0) for second in windows]

    def _publish(self, key: Key, window: int) -> None:
        with self._lock:
            busy_seconds = self._busy_seconds.pop((key, window))
        data = [_datum(key, _begin(window), busy_seconds / WINDOW_SECONDS)]
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def datum(key: Key, moment: datetime, metric: tuple[str, str], values: Json) -> Json:
    """One statistic set of a variant's metric (name and unit), as PutMetricData takes it."""
    endpoint, variant = key
    name, unit = metric
    return {
        "MetricName": name,
        "Unit": unit,
        "Timestamp": moment,
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        "StatisticValues": values,
    }


def _datum(key: Key, moment: datetime, value: float) -> Json:
    values = {"SampleCount": 1, "Sum": value, "Minimum": value, "Maximum": value}
    return datum(key, moment, METRIC, values) | {"StorageResolution": 1}


def _begin(window: int) -> datetime:
    return datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)
