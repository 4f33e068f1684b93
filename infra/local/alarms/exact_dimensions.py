"""GetMetricStatistics by all dimensions of a metric, as AWS has it: moto also counts metrics that have more.

An endpoint's invocations are published by variant, and besides by variant and configuration: to be counted once.
"""

from dataclasses import dataclass
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, Dimension, Statistics

# Taken once, so that a second cloud in the same process takes the first one's place.
_GET_STATISTICS = CloudWatchBackend.get_metric_statistics


@dataclass(frozen=True)
class _OfDimensions:
    """A backend of the metrics alone that are called so, and have these dimensions and no others."""

    backend: CloudWatchBackend
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    def get_all_metrics(self) -> list[Any]:
        """What moto looks through."""
        called = (self.namespace, self.name)
        named = (one for one in self.backend.get_all_metrics() if (one.namespace, one.name) == called)
        return [one for one in named if _pairs(one.dimensions) == self.dimensions]


def install() -> None:
    """Have statistics asked for with dimensions be of the metrics that have exactly those."""

    def get_metric_statistics(
        backend: CloudWatchBackend,
        namespace: str,
        name: str,
        *asked: Any,  # noqa: ANN401 - moto's own
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Statistics]:
        exact = frozenset((one["Name"], one["Value"]) for one in dimensions)
        of: Any = _OfDimensions(backend, namespace, name, exact) if exact else backend
        return list(_GET_STATISTICS(of, namespace, name, *asked, dimensions=[], unit=unit))

    CloudWatchBackend.get_metric_statistics = get_metric_statistics


def _pairs(dimensions: list[Dimension]) -> frozenset[tuple[str | None, str | None]]:
    return frozenset((one.name, one.value) for one in dimensions)
