"""A window's CloudWatch metrics, under the names that the alarms import too."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from monitoring.contract import (
    CONTRIBUTION_METRIC,
    CORRELATION_DRIFT_METRIC,
    DRIFTED_FEATURES_METRIC,
    ENDPOINT_DIMENSION,
    FEATURE_DIMENSION,
    FEATURE_DRIFT_METRIC,
    IMPACT_METRIC,
    LOCATION_DRIFT_METRIC,
    MAX_DRIFT_METRIC,
    MAX_PSI_METRIC,
    METRIC_NAMESPACE,
    PARITY_METRIC,
    PREDICTION_PSI_METRIC,
    PSI_METRIC,
    RANKING_METRIC,
    SAMPLE_COUNT_METRIC,
)
from monitoring.report import Findings
from monitoring.statistics import PSI

MAX_DATA: Final = 1000
"""PutMetricData takes so many at once."""


def publish(cloudwatch: Any, endpoint: str, end: datetime, findings: Findings) -> None:  # noqa: ANN401 - made at run time
    """Publish a window's metrics, stamped with the window's end.

    The sample count is always published, zero too: its absence means that the job did not run, and nothing else. A PSI
    is published only if it was computed. To publish 0 for a window with too little data would say "no drift", and clear
    an alarm that nothing has disproved; an alarm's missing-data rule decides about such a window instead.
    """
    data = list(_data(endpoint, end, findings))
    for start in range(0, len(data), MAX_DATA):
        cloudwatch.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data[start : start + MAX_DATA])


def _data(endpoint: str, end: datetime, findings: Findings) -> Iterator[dict[str, Any]]:
    def datum(name: str, value: float, feature: str | None = None, unit: str = "None") -> dict[str, Any]:
        dimensions = [{"Name": ENDPOINT_DIMENSION, "Value": endpoint}]
        dimensions += [{"Name": FEATURE_DIMENSION, "Value": feature}] if feature is not None else []
        return {"MetricName": name, "Dimensions": dimensions, "Timestamp": end, "Value": value, "Unit": unit}

    yield datum(SAMPLE_COUNT_METRIC, findings.rows, unit="Count")
    if findings.max_drift is None:
        return
    yield datum(MAX_DRIFT_METRIC, findings.max_drift)
    if findings.max_psi is not None:
        yield datum(MAX_PSI_METRIC, findings.max_psi)
    if findings.correlation is not None:
        yield datum(CORRELATION_DRIFT_METRIC, findings.correlation.ratio)
    if findings.location is not None:
        yield datum(LOCATION_DRIFT_METRIC, findings.location.ratio)
    yield datum(DRIFTED_FEATURES_METRIC, len(findings.drifted_features), unit="Count")
    if findings.prediction is not None:
        yield datum(PREDICTION_PSI_METRIC, findings.prediction.value)
    yield from _beyond(findings, datum)
    for each in findings.features:
        if each.statistic is PSI:
            yield datum(PSI_METRIC, each.value, feature=each.name)
        else:
            yield datum(FEATURE_DRIFT_METRIC, each.ratio, feature=each.name)


def _beyond(findings: Findings, datum: Callable[..., dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What is measured besides drift, where it was asked for."""
    for each in findings.bias:
        for name, value in ((PARITY_METRIC, each.parity_difference), (IMPACT_METRIC, each.impact)):
            if value is not None:
                yield datum(name, value, feature=each.column)
    if findings.explanations is not None:
        yield datum(RANKING_METRIC, findings.explanations.agreement)
        for name, _, value in findings.explanations.by_name():
            yield datum(CONTRIBUTION_METRIC, value, feature=name)
