"""What a dashboard shows of one endpoint, whatever its kind: traffic, errors, latency, capacity, drift, quality."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from infra.config.instance_sizes import gpus
from infra.constructs.dashboard import DAY, HOUR, Picture
from infra.constructs.metrics import (
    Metric,
    Times,
    endpoint_metric,
    instance_metric,
    monitoring_metric,
    of_every_feature,
    of_transform_jobs,
    quality_metric,
    rule_matches,
)
from infra.naming import VARIANT
from infra.prices import SERVERLESS_GB_SECOND, Price, prices
from monitoring import contract

PERCENTILES: Final = ("p50", "p90", "p99")
BUSY: Final = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
BUSY_GPU: Final = ("GPUUtilization", "GPUMemoryUtilization")
MICROSECONDS_A_SECOND: Final = 1_000_000
SAMPLES_AN_HOUR: Final = 60
"""Of each instance: one a minute."""

Fleets = Mapping[str, str]
"""The instance type of each variant, by the variant's name."""


def requests(endpoint: str, variants: Sequence[str] = (VARIANT,), *, an_instance: bool = True) -> Picture:
    """Traffic."""
    names = ("Invocations", *(("InvocationsPerInstance",) if an_instance else ()))
    return Picture("Requests", HOUR, _of_variants(endpoint, variants, names, ["Sum"]))


def errors(endpoint: str, variants: Sequence[str] = (VARIANT,)) -> Picture:
    """Those that the container failed to answer, and those that it refused."""
    names = ("Invocation5XXErrors", "Invocation4XXErrors")
    return Picture("Errors (share of requests)", HOUR, _of_variants(endpoint, variants, names, ["Average"]))


def latency(endpoint: str, variants: Sequence[str] = (VARIANT,)) -> Picture:
    """The container's own time."""
    lines = _of_variants(endpoint, variants, ["ModelLatency"], PERCENTILES)
    return Picture("Model latency (microseconds)", HOUR, lines)


def answering(endpoint: str, fleets: Fleets, region: str) -> list[Picture]:
    """All of an endpoint that runs on instances and answers at once."""
    shown = [picture(endpoint, tuple(fleets)) for picture in (requests, errors, latency)]
    return [*shown, *fleet(endpoint, fleets, region)]


def fleet(endpoint: str, fleets: Fleets, region: str) -> list[Picture]:
    """How many instances there are, how busy they are (100 % for each processor, and for each GPU), what they cost."""
    counted = [Times(_samples(endpoint, variant), 1 / SAMPLES_AN_HOUR, variant) for variant in fleets]
    busy = [
        instance_metric(name, endpoint, "Average", variant=variant)
        for variant, instance_type in fleets.items()
        for name in (*BUSY, *(BUSY_GPU if gpus(instance_type) else ()))
    ]
    return [
        Picture("Instances", HOUR, counted),
        Picture("How busy an instance is (%)", HOUR, busy),
        *_cost(endpoint, fleets, region),
    ]


def answers_cost(endpoint: str, gigabytes: float, region: str) -> list[Picture]:
    """What a serverless endpoint's answers cost: memory times their time; nothing where no price is known."""
    price = prices(region).of(SERVERLESS_GB_SECOND)
    if price is None:
        return []
    took = endpoint_metric("ModelLatency", endpoint, "Sum")
    line = Times(took, price.usd * gigabytes / MICROSECONDS_A_SECOND, f"{gigabytes:g} GB")
    return [Picture(_dated("Cost of answers", price), HOUR, [line])]


def transform_jobs(job: str, failed: str, instance_type: str, region: str) -> list[Picture]:
    """Batch transforms whose names begin like `job`: how busy their instances are, what they cost, which failed.

    `failed` is the rule that tells of failed jobs.
    """
    busy = [of_transform_jobs(name, job, "Average") for name in BUSY[:2]]
    hours = Times(of_transform_jobs(BUSY[0], job, "SampleCount"), 1 / SAMPLES_AN_HOUR, "")
    price = prices(region).instance_hour(instance_type)
    shown = [
        Picture("Jobs that failed", DAY, [rule_matches(failed)]),
        Picture("How busy an instance is (%)", HOUR, busy),
        Picture("Hours of instances, a day", DAY, [hours]),
    ]
    if price is not None:
        dollars = replace(hours, factor=price.usd / SAMPLES_AN_HOUR)
        title = f"Cost of instances (USD a day, estimated at list prices, {price.as_of})"
        shown.append(Picture(title, DAY, [dollars]))
    return shown


def drift(endpoint: str) -> list[Picture]:
    """How far features and predictions have moved, and which; and on how many rows that was seen."""
    in_thresholds = (contract.MAX_DRIFT_METRIC, contract.CORRELATION_DRIFT_METRIC, contract.LOCATION_DRIFT_METRIC)
    psi = (contract.MAX_PSI_METRIC, contract.PREDICTION_PSI_METRIC)
    of_features = [of_every_feature(name, endpoint) for name in (contract.PSI_METRIC, contract.FEATURE_DRIFT_METRIC)]
    return [
        _of_windows("Drift (in thresholds: 1 is drift)", endpoint, in_thresholds),
        _of_windows("Drift (population stability index)", endpoint, psi),
        Picture("Drift of each feature (population stability index, or thresholds)", DAY, of_features),
        _of_windows("Rows in the window, and features that drifted", endpoint, _COUNTS),
    ]


def quality(endpoint: str, metric: str) -> list[Picture]:
    """How good the answers were: the watched metric, what it seems to be without labels, and how many had one."""
    names = (contract.QUALITY_VALUE_METRIC, contract.QUALITY_AT_BEST_METRIC, contract.QUALITY_ESTIMATE_METRIC)
    return [
        Picture(f"Quality ({metric})", DAY, [quality_metric(name, endpoint, metric) for name in names]),
        _of_windows("Labelled rows", endpoint, [contract.LABELLED_ROWS_METRIC]),
    ]


_COUNTS: Final = (contract.SAMPLE_COUNT_METRIC, contract.DRIFTED_FEATURES_METRIC)


def _cost(endpoint: str, fleets: Fleets, region: str) -> list[Picture]:
    """Of the variants whose instances have a price here."""
    known = {variant: prices(region).instance_hour(instance_type) for variant, instance_type in fleets.items()}
    priced = {variant: price for variant, price in known.items() if price is not None}
    lines = [
        Times(_samples(endpoint, variant), price.usd / SAMPLES_AN_HOUR, variant) for variant, price in priced.items()
    ]
    return [Picture(_dated("Cost of instances", min(priced.values(), key=_day)), HOUR, lines)] if lines else []


def _dated(what: str, price: Price) -> str:
    return f"{what} (USD an hour, estimated at list prices, {price.as_of})"


def _day(price: Price) -> str:
    """What is not dated comes first."""
    return price.as_of if price.as_of[0].isdigit() else ""


def _samples(endpoint: str, variant: str) -> Metric:
    return instance_metric("CPUUtilization", endpoint, "SampleCount", variant=variant)


def _of_windows(title: str, endpoint: str, names: Sequence[str]) -> Picture:
    return Picture(title, DAY, [monitoring_metric(name, endpoint) for name in names])


def _of_variants(
    endpoint: str, variants: Sequence[str], names: Sequence[str], statistics: Sequence[str]
) -> list[Metric]:
    return [
        endpoint_metric(name, endpoint, statistic, variant=variant)
        for variant in variants
        for name in names
        for statistic in statistics
    ]
