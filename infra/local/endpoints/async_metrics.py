"""What CloudWatch is told of asynchronous endpoints: every request by itself, and the queue each minute.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from infra.local.cloud import LocalCloud

NAMESPACE: Final = "AWS/SageMaker"
COUNTS: Final = ("RequestDownloadFailures", "ResponseUploadFailures", "NotificationFailures", "ExpiredRequests")
MICROSECONDS, MILLISECONDS = 1e6, 1e3


@dataclass
class Processed:
    """One request, from when it was taken from the queue to when its topic was told."""

    variant: str
    waited_seconds: float
    took_seconds: float = 0.0
    status: int | None = None
    """The container's; None if it was not asked."""
    model_seconds: float = 0.0
    download_seconds: float | None = None
    upload_seconds: float | None = None
    faults: tuple[str, ...] = ()
    """Those of `COUNTS` that befell it."""

    def data(self) -> list[tuple[str, str, float]]:
        """Each metric with its unit and value."""
        failed = self.status is None or self.status // 100 != HTTPStatus.OK // 100
        told = [
            ("InvocationsProcessed", "Count", 1.0),
            ("InvocationFailures", "Count", float(failed)),
            ("TimeInBacklog", "Milliseconds", self.waited_seconds * MILLISECONDS),
            ("TotalProcessingTime", "Milliseconds", (self.waited_seconds + self.took_seconds) * MILLISECONDS),
            *((name, "Count", float(name in self.faults)) for name in COUNTS),
        ]
        if self.status is not None:
            told += [
                ("ModelLatency", "Microseconds", self.model_seconds * MICROSECONDS),
                ("Invocation4XXErrors", "None", float(self.status // 100 * 100 == HTTPStatus.BAD_REQUEST)),
                ("Invocation5XXErrors", "None", float(self.status >= HTTPStatus.INTERNAL_SERVER_ERROR)),
            ]
        seconds = {"RequestDownloadLatency": self.download_seconds, "ResponseUploadLatency": self.upload_seconds}
        return told + [
            (name, "Microseconds", took * MICROSECONDS) for name, took in seconds.items() if took is not None
        ]


@dataclass(frozen=True)
class Waiting:
    """An endpoint's queue at a moment."""

    size: int
    """Requests that wait or are being answered."""
    instances: int
    oldest_seconds: float

    def data(self) -> list[tuple[str, str, float]]:
        """Each metric with its unit and value; none per instance when there is none."""
        without_capacity = float(self.size > 0 and not self.instances)
        told = [
            ("ApproximateBacklogSize", "Count", float(self.size)),
            ("ApproximateAgeOfOldestRequest", "Seconds", self.oldest_seconds),
            ("HasBacklogWithoutCapacity", "Count", without_capacity),
        ]
        if self.instances:
            told.append(("ApproximateBacklogSizePerInstance", "Count", self.size / self.instances))
        return told


def publish(cloud: LocalCloud, dimensions: dict[str, str], moment: datetime, told: Processed | Waiting) -> None:
    """Put the data into CloudWatch."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = [
        {"MetricName": name, "Unit": unit, "Value": value, "Timestamp": moment, "Dimensions": named}
        for name, unit, value in told.data()
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
