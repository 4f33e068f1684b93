"""Metric descriptors: namespace, name, dimensions and statistic in one place, for alarms and dashboards alike."""

import re
from dataclasses import dataclass, replace
from typing import Final

from infra.naming import VARIANT, Names
from monitoring import contract

SERVICE: Final = "AWS/SageMaker"
INSTANCES: Final = "/aws/sagemaker/Endpoints"
"""Where each instance publishes once a minute how busy it is.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""
TRANSFORM_JOBS: Final = "/aws/sagemaker/TransformJobs"
OF_A_VARIANT: Final = ("EndpointName", "VariantName")


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


@dataclass(frozen=True)
class Search:
    """Every metric that CloudWatch finds when somebody looks.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    """The names of all of its dimensions."""
    term: str
    """What the values of its dimensions must be like."""
    statistic: str

    def expression(self, period_seconds: int) -> str:
        """As CloudWatch takes it."""
        schema = ",".join((f'"{self.namespace}"', *self.dimensions))
        return f"SEARCH('{{{schema}}} MetricName=\"{self.name}\" {self.term}', '{self.statistic}', {period_seconds})"


@dataclass(frozen=True)
class Times:
    """A metric, or each that a search finds, times a constant."""

    of: Metric | Search
    factor: float
    label: str
    """Of the line; empty for what CloudWatch calls each that is found."""


Line = Metric | Search | Times
"""What a dashboard's picture is made of."""


def endpoint_metric(name: str, endpoint: str, statistic: str, *, variant: str = VARIANT) -> Metric:
    """A metric that SageMaker publishes of one of the endpoint's variants."""
    return Metric(SERVICE, name, _variant(endpoint, variant), statistic)


def of_configuration(metric: Metric, configuration: str) -> Metric:
    """An endpoint's metric, of the instances of one endpoint configuration alone: during an update there are two.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    return replace(metric, dimensions=(*metric.dimensions, ("EndpointConfigName", configuration)))


def instance_metric(name: str, endpoint: str, statistic: str, *, variant: str = VARIANT) -> Metric:
    """A metric that each instance of a variant publishes once a minute: so its samples count the instances."""
    return Metric(INSTANCES, name, _variant(endpoint, variant), statistic)


def queue_metric(name: str, endpoint: str, statistic: str) -> Metric:
    """A metric that SageMaker publishes of an asynchronous endpoint's queue, whatever its variant."""
    return Metric(SERVICE, name, (("EndpointName", endpoint),), statistic)


def container_metric(name: str, endpoint: str, container: str, statistic: str) -> Metric:
    """A metric that SageMaker publishes of one container of an inference pipeline."""
    dimensions = (("ContainerName", container), ("EndpointName", endpoint), ("VariantName", VARIANT))
    return Metric(SERVICE, name, dimensions, statistic)


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


def of_every_endpoint(
    namespace: str, name: str, statistic: str, names: Names, *, dimensions: tuple[str, ...] = OF_A_VARIANT
) -> Search:
    """A metric of every endpoint in the environment; the first dimension names the endpoint.

    CloudWatch takes names apart at everything that is no letter or digit, and finds them by their parts; so it would
    also find another environment's model whose name has the words of this one's prefix, in the same account and region.
    """
    return Search(namespace, name, dimensions, _words(dimensions[0], names.base), statistic)


def of_transform_jobs(name: str, job: str, statistic: str) -> Search:
    """A metric that each instance of a transform job publishes once a minute, of every job named like this."""
    return Search(TRANSFORM_JOBS, name, ("Host",), _words("Host", job), statistic)


def rule_matches(rule: str) -> Metric:
    """How often an event has matched a rule of EventBridge's."""
    return Metric("AWS/Events", "TriggeredRules", (("RuleName", rule),), "Sum")


def of_every_feature(name: str, endpoint: str) -> Search:
    """A metric that the drift job publishes of each feature once a window."""
    dimensions = (contract.ENDPOINT_DIMENSION, contract.FEATURE_DIMENSION)
    return Search(contract.METRIC_NAMESPACE, name, dimensions, f'{contract.ENDPOINT_DIMENSION}="{endpoint}"', "Maximum")


def _words(dimension: str, text: str) -> str:
    return " ".join(f"{dimension}={word}" for word in re.findall(r"[a-zA-Z0-9]+", text))


def _variant(endpoint: str, variant: str) -> tuple[tuple[str, str], ...]:
    first, second = OF_A_VARIANT
    return (first, endpoint), (second, variant)
