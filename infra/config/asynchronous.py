"""An endpoint that takes a request's place in S3, queues it, and puts the answer into S3."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from infra.config.base import Broken, Count, InstanceType, Percent, Positive, Section
from infra.config.fleet import fleet_problems
from infra.config.rollout import AllAtOnceRollout, RolloutConfig
from infra.config.scaling import BacklogScalingConfig


class NotificationsConfig(Section):
    """Whether an SNS topic is told of each answer; the topics are named after the endpoint."""

    success: bool = True
    """Whether `<endpoint>-succeeded` is told of each answer."""
    error: bool = True
    """Whether `<endpoint>-failed` is told of each failure."""


class AsynchronousAlarmsConfig(Section):
    """When the endpoint itself raises an alarm."""

    max_error_percent: Percent = 1.0
    """Share of requests that the container failed to answer (5xx)."""
    max_failures: Annotated[int, Field(ge=0)] = 0
    """Requests in five minutes that ended without an answer, for whatever reason."""
    max_backlog: Count = 100
    """Requests that may wait."""
    max_age_seconds: Positive = 900.0
    """Time that the oldest request may wait, in seconds."""


class AsynchronousEndpointConfig(Section):
    """An endpoint for large or slow requests: 1 GB and an hour each.

    A shadow is not offered by AWS
    (https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html). Requests and answers stand in S3
    already, so nothing is captured a second time.
    """

    not_monitored: ClassVar[str | None] = (
        "an asynchronous endpoint leaves requests and answers in S3 and captures nothing"
    )

    refused: ClassVar[Mapping[str, str]] = {
        "capture": "requests and answers of an asynchronous endpoint stand in S3 already",
        "shadow": "AWS runs no shadow beside an asynchronous endpoint",
        "variants": "requests of an asynchronous endpoint wait in one queue, for one variant",
        "weight": "requests of an asynchronous endpoint wait in one queue, for one variant",
    }

    kind: Literal["asynchronous"]
    """How requests are answered."""
    instance_type: InstanceType = "ml.m5.large"
    """SageMaker instance type of the serving fleet."""
    scaling: BacklogScalingConfig = BacklogScalingConfig()
    """How many instances work the queue off, down to none; by what waits unless policies say otherwise."""
    decision_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which the predicted label is true (binary classification only)."""
    max_concurrent_invocations: Annotated[int, Field(ge=1, le=1000)] = 4
    """Requests that one instance works on at once."""
    rollout: RolloutConfig = AllAtOnceRollout()
    """How an update reaches requests, and what takes it back: errors and failures; there is no latency alarm."""
    notifications: NotificationsConfig = NotificationsConfig()
    """Whether SNS is told of each answer."""
    alarms: AsynchronousAlarmsConfig = AsynchronousAlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """Instances that can be scaled, and a rollout that the fleet allows."""
        yield from fleet_problems(self.instance_type, self.scaling, self.rollout)
