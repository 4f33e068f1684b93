"""What the governor asks AWS about a model: its runs, its new data, its last windows."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from monitoring.governor.labelled_rows import Listed
from monitoring.governor.ledger import Start
from monitoring.governor.rules import Run
from monitoring.governor.spec import Series, Spec, Watch, WatchedAlarm

LEASE: Final = timedelta(minutes=15)
"""How long a start that was written down counts as a run that SageMaker does not list yet."""
Client = Any
"""boto3's clients are made at run time."""
BREACHES: Final = {"at least": operator.ge, "above": operator.gt, "below": operator.lt}


@dataclass(frozen=True)
class LabelledFiles:
    """Labelled files that arrived after the last run was started, as S3 lists them; when the newest of all came."""

    new: Sequence[Listed] = ()
    newest: datetime | None = None

    @property
    def new_bytes(self) -> int:
        """The size of the new ones together."""
        return sum(file["Size"] for file in self.new)


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


def labelled_files(s3: Client, spec: Spec, runs: Sequence[Run]) -> LabelledFiles:
    """What lies where labelled data arrives."""
    last = max((run.started for run in runs), default=None)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=spec.data_bucket, Prefix=spec.data_prefix)
    files = [item for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".parquet")]
    new = [item for item in files if last is None or item["LastModified"] > last]
    return LabelledFiles(new, max((item["LastModified"] for item in files), default=None))


def windows(cloudwatch: Client, watch: Watch | None, now: datetime) -> list[bool]:
    """Of each of the last windows, the oldest first, whether a watched metric was beyond its threshold.

    A window is a moment at which the job has published; one with too few rows breaches nothing.
    """
    if watch is None:
        return []
    hour = now.replace(minute=0, second=0, microsecond=0)
    start = hour - timedelta(days=watch.window_days * (watch.of + 1))
    queries = [_query(number, one) for number, one in enumerate([watch.windows, *(a.series for a in watch.alarms)])]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=hour + timedelta(hours=1)
    )
    values: dict[str, dict[datetime, float]] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        series = values.setdefault(result["Id"], {})
        series.update(zip(result["Timestamps"], result["Values"], strict=True))
    return [
        any(_breached(alarm, values.get(f"m{n}", {}).get(end)) for n, alarm in enumerate(watch.alarms, 1))
        for end in sorted(values.get("m0", {}))
    ][-watch.of :]


def _breached(alarm: WatchedAlarm, value: float | None) -> bool:
    return value is not None and bool(BREACHES[alarm.comparison](value, alarm.threshold))


def _query(number: int, series: Series) -> dict[str, Any]:
    """Windows end on the hour, so that hours tell them apart."""
    dimensions = [{"Name": name, "Value": value} for name, value in series.dimensions.items()]
    of = {"Namespace": series.namespace, "MetricName": series.metric, "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": of, "Period": 3600, "Stat": "Maximum"}}
