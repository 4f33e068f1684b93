"""The dashboard over all models of an environment: it asks CloudWatch what there is, and so never changes."""

from typing import Final

from infra.constructs.alarm_log import AlarmLog
from infra.constructs.dashboard import DAY, HOUR, Dashboard, Picture, Widget
from infra.constructs.metrics import (
    INSTANCES,
    SERVICE,
    Metric,
    Search,
    Times,
    of_every_endpoint,
)
from infra.constructs.pictures import PERCENTILES, SAMPLES_AN_HOUR
from infra.naming import Names
from infra.provider import Construct
from monitoring import contract

THIRD: Final = 8
OF_A_MODEL: Final = (contract.ENDPOINT_DIMENSION,)
OF_AN_ENDPOINT: Final = ("EndpointName",)
BILLED_IN: Final = "us-east-1"
"""Where AWS publishes what every region costs.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
"""


class Overview(Construct):
    """Alarms, traffic, errors, latency, capacity, drift, quality and cost, a line for each endpoint that there is."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, alarms: AlarmLog) -> None:
        super().__init__(scope, id_)
        widgets: list[Widget] = [alarms.table(), *pictures(names)]
        Dashboard(self, "all", name=names.dashboard, region=names.region, widgets=widgets)


def pictures(names: Names) -> list[Picture]:
    """What it shows of the environment beside the alarms."""
    return [*_traffic(names), *_capacity(names), *_drift(names), *_quality(names), *_cost(names)]


def _traffic(names: Names) -> list[Picture]:
    def of(name: str, statistic: str) -> Search:
        return of_every_endpoint(SERVICE, name, statistic, names)

    slow = [
        Picture(f"Model latency, {one} (microseconds)", HOUR, [of("ModelLatency", one)], width=THIRD)
        for one in PERCENTILES
    ]
    return [
        Picture("Requests", HOUR, [of("Invocations", "Sum"), of("InvocationsProcessed", "Sum")]),
        Picture("Requests that failed (share)", HOUR, [of("Invocation5XXErrors", "Average")]),
        *slow,
    ]


def _capacity(names: Names) -> list[Picture]:
    waiting = of_every_endpoint(SERVICE, "ApproximateBacklogSize", "Maximum", names, dimensions=OF_AN_ENDPOINT)
    busy = of_every_endpoint(INSTANCES, "CPUUtilization", "Average", names)
    concurrency = of_every_endpoint(SERVICE, "ServerlessConcurrentExecutionsUtilization", "Maximum", names)
    return [
        Picture("Instances", HOUR, [Times(_samples(names), 1 / SAMPLES_AN_HOUR, "")]),
        Picture("Processors (%, 100 for each)", HOUR, [busy]),
        Picture("Requests that wait (asynchronous)", HOUR, [waiting]),
        Picture("Concurrency (serverless, share of the limit)", HOUR, [concurrency]),
    ]


def _drift(names: Names) -> list[Picture]:
    def of(name: str) -> Search:
        return of_every_endpoint(contract.METRIC_NAMESPACE, name, "Maximum", names, dimensions=OF_A_MODEL)

    return [
        Picture("Drift of features (in thresholds: 1 is drift)", DAY, [of(contract.MAX_DRIFT_METRIC)]),
        Picture("Drift of predictions (population stability index)", DAY, [of(contract.PREDICTION_PSI_METRIC)]),
    ]


def _quality(names: Names) -> list[Picture]:
    def of(name: str) -> Search:
        dimensions = (contract.ENDPOINT_DIMENSION, contract.METRIC_DIMENSION)
        return of_every_endpoint(contract.METRIC_NAMESPACE, name, "Maximum", names, dimensions=dimensions)

    return [
        Picture("Quality (of labelled answers)", DAY, [of(contract.QUALITY_VALUE_METRIC)]),
        Picture("Quality (estimated without labels)", DAY, [of(contract.QUALITY_ESTIMATE_METRIC)]),
    ]


def _cost(names: Names) -> list[Picture]:
    service = (("Currency", "USD"), ("ServiceName", "AmazonSageMaker"))
    charges = Metric("AWS/Billing", "EstimatedCharges", service, "Maximum")
    return [
        Picture("Hours of instances, a day", DAY, [Times(_samples(names), 1 / SAMPLES_AN_HOUR, "")]),
        Picture("SageMaker this month, the whole account (USD, as AWS estimates)", DAY, [charges], region=BILLED_IN),
    ]


def _samples(names: Names) -> Search:
    """One for each minute and instance."""
    return of_every_endpoint(INSTANCES, "CPUUtilization", "SampleCount", names)
