"""Captured traffic of real flights in S3, and the metrics that the drift job has published of it, for tests."""

from datetime import UTC, datetime

import boto3

from monitoring.scoring import matrix
from tests.unit.monitoring.conftest import DRIFT_SPEC, csv, lines, record

ENDPOINT = DRIFT_SPEC["endpoint"]
ROWS_A_RECORD = 250


def capture(rows, predictor, key):
    """Captured traffic of `rows`, its records at the flights' own times."""
    scores = predictor.score(matrix(rows, predictor.signature))
    records = [
        record(
            csv(rows[start : start + ROWS_A_RECORD]),
            "".join(f"{float(score)!r}\n" for score in scores[start : start + ROWS_A_RECORD]),
            rows["scheduled_at"][start],
        )
        for start in range(0, len(rows), ROWS_A_RECORD)
    ]
    put(lines(*records), key)
    return scores


def put(content, key):
    boto3.client("s3").put_object(Bucket="capture", Key=f"flight-delay/{ENDPOINT}/main/{key}", Body=content)


def published():
    """Metric values by name and feature, all stamped with one moment."""
    metrics = boto3.client("cloudwatch").list_metrics(Namespace="sagestack/monitoring")["Metrics"]
    query = [
        {"Id": f"m{index}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
        for index, metric in enumerate(metrics)
    ]
    window = {"StartTime": datetime(2013, 7, 31, 23, tzinfo=UTC), "EndTime": datetime(2013, 8, 1, 1, tzinfo=UTC)}
    found = boto3.client("cloudwatch").get_metric_data(MetricDataQueries=query, **window)["MetricDataResults"]
    names = [
        (metric["MetricName"], {each["Name"]: each["Value"] for each in metric["Dimensions"]}.get("Feature"))
        for metric in metrics
    ]
    assert {each["Value"] for metric in metrics for each in metric["Dimensions"] if each["Name"] == "Endpoint"} == {
        ENDPOINT
    }
    return {name: (one["Timestamps"], one["Values"]) for name, one in zip(names, found, strict=True)}
