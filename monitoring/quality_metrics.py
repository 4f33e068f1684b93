"""A window's quality as CloudWatch metrics, under the names that the alarms import too."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from monitoring.contract import (
    ENDPOINT_DIMENSION,
    FEATURE_DIMENSION,
    LABELLED_ROWS_METRIC,
    METRIC_DIMENSION,
    METRIC_NAMESPACE,
    OPPORTUNITY_METRIC,
    QUALITY_AT_BEST_METRIC,
    QUALITY_ESTIMATE_METRIC,
    QUALITY_VALUE_METRIC,
)
from monitoring.quality_report import Quality


def publish(cloudwatch: Any, endpoint: str, at: datetime, quality: Quality) -> None:  # noqa: ANN401 - made at run time
    """Publish a window's quality, stamped with `at`, the end of the period in which it is measured.

    Not with the window's own end: alarms, and CloudWatch itself, do not look back as far as labels may take. The
    number of labelled rows is always published, zero too: its absence means that the job did not run, and nothing else.
    """
    cloudwatch.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=list(_data(endpoint, at, quality)))


def _data(endpoint: str, at: datetime, quality: Quality) -> Iterator[dict[str, Any]]:
    def datum(name: str, value: float, unit: str = "None", **more: str) -> dict[str, Any]:
        dimensions = [{"Name": each, "Value": of} for each, of in {ENDPOINT_DIMENSION: endpoint, **more}.items()]
        return {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value, "Unit": unit}

    yield datum(LABELLED_ROWS_METRIC, quality.rows, unit="Count")
    for name, measured in quality.metrics.items():
        yield datum(QUALITY_VALUE_METRIC, measured.value, **{METRIC_DIMENSION: name})
        yield datum(QUALITY_AT_BEST_METRIC, quality.at_best(name), **{METRIC_DIMENSION: name})
    for name, value in (quality.estimated or {}).items():
        yield datum(QUALITY_ESTIMATE_METRIC, value, **{METRIC_DIMENSION: name})
    for each in quality.opportunities:
        if each.difference is not None:
            yield datum(OPPORTUNITY_METRIC, each.difference, **{FEATURE_DIMENSION: each.column})
