"""No endpoint at all: on a schedule, a job answers every request that lies in S3, and ends."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from infra.config.base import Broken, Count, InstanceType, KeyPrefix, Section, Timetable

LARGEST_TRANSFORM_MB: Final = 100
"""Payload of all requests of an instance together. Source: CreateTransformJob, MaxPayloadInMB."""
ContentType = Literal["text/csv", "application/jsonlines", "application/json"]


class BatchTransformConfig(Section):
    """A transform job on a schedule; what lies in the input folder then is answered file by file.

    It has no endpoint, so there is nothing to scale, shift or capture.
    """

    not_monitored: ClassVar[str | None] = "a batch transform has no endpoint whose requests could be captured"

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("alarms", "capture", "rollout", "scaling", "shadow", "variants", "weight"), "a batch transform has no endpoint"
    )

    kind: Literal["batch-transform"]
    """How requests are answered."""
    schedule: Timetable = "daily"
    """When the job starts, in UTC: hourly, daily, weekly, monthly, or cron(...) as EventBridge Scheduler has it."""
    input: KeyPrefix = "batch/requests"
    """Folder of the requests, below the model's own in the data bucket."""
    output: KeyPrefix = "batch/answers"
    """Folder of the answers, below the model's own in the data bucket; each job adds one of its own."""
    content_type: ContentType = "text/csv"
    """What the files hold."""
    split: bool = True
    """Whether a file is split into lines, several a request; otherwise a file is a request."""
    join_input: bool = False
    """Whether each answer stands behind its request; otherwise answers stand alone, in the order of requests."""
    max_payload_mb: Annotated[int, Field(ge=1, le=LARGEST_TRANSFORM_MB)] = 6
    """Size of one request, in MB."""
    max_concurrent_transforms: Count = 1
    """Requests that one instance works on at once."""
    instance_type: InstanceType = "ml.m5.large"
    """SageMaker instance type."""
    instances: Count = 1
    """Instances; files are spread over them, so more than there are files stay idle."""
    decision_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which the predicted label is true (binary classification only)."""

    def broken_rules(self) -> Iterator[Broken]:
        """Limits of CreateTransformJob that lie across fields."""
        at_once = self.max_payload_mb * self.max_concurrent_transforms
        if at_once > LARGEST_TRANSFORM_MB:
            why = f"times max_payload_mb is {at_once} MB, but AWS takes {LARGEST_TRANSFORM_MB} an instance"
            yield Broken((("max_concurrent_transforms", f"{why}: lower one of them"), ("max_payload_mb", why)))
        if self.content_type == "application/json" and self.split:
            fix = "set split to false, or take application/jsonlines"
            yield Broken((("content_type", f"is application/json, which does not split into lines: {fix}"),))
        if _within(self.output, self.input) or _within(self.input, self.output):
            where = f"is {self.output} but input is {self.input}: answers would be read as requests; keep them apart"
            yield Broken((("output", where), ("input", where)))


def _within(inner: str, outer: str) -> bool:
    return f"{inner}/".startswith(f"{outer}/")
