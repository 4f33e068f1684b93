"""What the governor asks AWS about a model: its runs, its new data, its last windows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.governor.ledger import Start
from monitoring.governor.rules import LEASE, Run, Spec

Client = Any
"""boto3's clients are made at run time."""


def runs(sagemaker: Client, pipeline: str) -> list[Run]:
    """Every execution of the pipeline."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
    found = [summary for page in pages for summary in page["PipelineExecutionSummaries"]]
    return [
        Run(one["StartTime"].astimezone(UTC), one["PipelineExecutionStatus"], one["PipelineExecutionArn"])
        for one in found
    ]


def with_start(runs: Sequence[Run], start: Start, now: datetime) -> list[Run]:
    """The runs, and the last start if SageMaker does not list it yet.

    A start that SageMaker never got, because the governor died in between, is forgotten when its lease has passed.
    """
    known = any(run.execution == start.execution for run in runs) if start.execution else False
    if not start.number or known:
        return list(runs)
    begun = datetime.fromisoformat(start.at)
    return [*runs, Run(begun, "Executing")] if abs(now - begun) < LEASE else list(runs)


def new_data(s3: Client, spec: Spec, runs: Sequence[Run]) -> tuple[int, int]:
    """Labelled files that arrived after the last run was started, and their bytes."""
    last = max((run.started for run in runs), default=None)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=spec.data_bucket, Prefix=spec.data_prefix)
    files = [item for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".parquet")]
    sizes = [item["Size"] for item in files if last is None or item["LastModified"] > last]
    return len(sizes), sum(sizes)


def windows(cloudwatch: Client, spec: Spec, now: datetime) -> list[bool]:
    """Of each of the last windows, the oldest first, whether a watched metric reached its threshold.

    A window is a moment at which the job has published; one with too few rows breaches nothing.
    """
    if spec.windows is None:
        return []
    hour = now.replace(minute=0, second=0, microsecond=0)
    start = hour - timedelta(days=spec.window_days * (spec.of_windows + 1))
    queries = [_query(number, metric) for number, metric in enumerate([spec.windows, *spec.watched])]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=hour + timedelta(hours=1)
    )
    values: dict[str, dict[datetime, float]] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        series = values.setdefault(result["Id"], {})
        series.update(zip(result["Timestamps"], result["Values"], strict=True))
    return [
        any(values.get(f"m{n}", {}).get(end, 0) >= one["threshold"] for n, one in enumerate(spec.watched, 1))
        for end in sorted(values.get("m0", {}))
    ][-spec.of_windows :]


def _query(number: int, metric: dict[str, Any]) -> dict[str, Any]:
    """Windows end on the hour, so that hours tell them apart."""
    dimensions = [{"Name": name, "Value": value} for name, value in metric["dimensions"].items()]
    of = {"Namespace": metric["namespace"], "MetricName": metric["metric"], "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": of, "Period": 3600, "Stat": "Maximum"}}
