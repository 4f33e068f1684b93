"""An endpoint's metrics by configuration: during an update there are two, and an alarm may look at the new one alone.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from infra.local.cloud import LocalCloud
from infra.local.endpoints.concurrency import NAMESPACE, datum
from infra.local.endpoints.metrics import Invocation, Window
from infra.local.endpoints.quiet import MINUTE


class Key(NamedTuple):
    """One variant of one configuration in one minute."""

    endpoint: str
    variant: str
    configuration: str
    minute: datetime


class ConfigurationMetrics:
    """Collects what happens while two fleets answer, and publishes each minute when it is over.

    Else the endpoint's metrics say the same, and a year of them would be counted twice for nobody.
    """

    def __init__(self, cloud: LocalCloud, is_shared: Callable[[str], bool]) -> None:
        """Take what tells of an endpoint's name whether two fleets answer."""
        self._cloud = cloud
        self._is_shared = is_shared
        self._windows: dict[Key, Window] = {}
        self._lock = threading.Lock()

    def note(self, endpoint: str, variant: str, configuration: str, invocation: Invocation) -> None:
        """Count one invocation."""
        if not self._is_shared(endpoint):
            return
        minute = self._cloud.clock.now().replace(second=0, microsecond=0)
        key = Key(endpoint, variant, configuration, minute)
        with self._lock:
            is_first = key not in self._windows
            self._windows.setdefault(key, Window(minute, invocation.instances)).add(invocation)
        if is_first:
            self._cloud.clock.at(minute + MINUTE, partial(self._publish, key))

    def _publish(self, key: Key) -> None:
        with self._lock:
            window = self._windows.pop(key)
        of = {"Name": "EndpointConfigName", "Value": key.configuration}
        data = [
            datum((key.endpoint, key.variant), key.minute, name, values)
            for name, distribution in window.metrics.items()
            for values in distribution.sets()
        ]
        data = [one | {"Dimensions": [*one["Dimensions"], of]} for one in data]
        self._cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
