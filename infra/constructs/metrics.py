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


def endpoint_metric(name: str, endpoint: str, statistic: str, *, variant: str = VARIANT) -> Metric:
    """A metric that SageMaker publishes of one of the endpoint's variants."""
    return Metric("AWS/SageMaker", name, (("EndpointName", endpoint), ("VariantName", variant)), statistic)


def queue_metric(name: str, endpoint: str, statistic: str) -> Metric:
    """A metric that SageMaker publishes of an asynchronous endpoint's queue, whatever its variant."""
    return Metric("AWS/SageMaker", name, (("EndpointName", endpoint),), statistic)


def container_metric(name: str, endpoint: str, container: str, statistic: str) -> Metric:
    """A metric that SageMaker publishes of one container of an inference pipeline."""
    dimensions = (("ContainerName", container), ("EndpointName", endpoint), ("VariantName", VARIANT))
    return Metric("AWS/SageMaker", name, dimensions, statistic)


def monitoring_metric(name: str, endpoint: str, statistic: str = "Maximum") -> Metric:
    """A metric that the drift job publishes once a window."""
    return Metric(contract.METRIC_NAMESPACE, name, ((contract.ENDPOINT_DIMENSION, endpoint),), statistic)


def function_metric(name: str, function: str, statistic: str) -> Metric:
    """A metric that Lambda publishes of a function."""
    return Metric("AWS/Lambda", name, (("FunctionName", function),), statistic)


def quality_metric(name: str, endpoint: str, metric: str) -> Metric:
    """What the quality job publishes once a window of one of its metrics (auc, rmse, …)."""
    dimensions = ((contract.ENDPOINT_DIMENSION, endpoint), (contract.METRIC_DIMENSION, metric))
    return Metric(contract.METRIC_NAMESPACE, name, dimensions, "Maximum")
