"""Metric descriptors: namespace, name, dimensions and statistic in one place, for alarms and dashboards alike."""

from dataclasses import dataclass

from infra.naming import VARIANT
from monitoring import contract


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric with the statistic that makes sense of it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str

    @property
    def is_percentile(self) -> bool:
        """Whether the statistic is one like p99, which CloudWatch calls extended."""
        return self.statistic.startswith("p")

    def widget_row(self) -> list[object]:
        """The metric as a dashboard widget lists it."""
        flat = [part for dimension in self.dimensions for part in dimension]
        return [self.namespace, self.name, *flat, {"stat": self.statistic}]


def endpoint_metric(name: str, endpoint: str, statistic: str) -> Metric:
    """A metric that SageMaker publishes of the endpoint's variant."""
    return Metric("AWS/SageMaker", name, (("EndpointName", endpoint), ("VariantName", VARIANT)), statistic)


def monitoring_metric(name: str, endpoint: str, statistic: str = "Maximum") -> Metric:
    """A metric that the drift job publishes once a window."""
    return Metric(contract.METRIC_NAMESPACE, name, ((contract.ENDPOINT_DIMENSION, endpoint),), statistic)
