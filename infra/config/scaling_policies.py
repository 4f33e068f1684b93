"""What adds and removes instances: one section a kind of scaling policy.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Tag

from infra.config.base import Broken, Count, Name, Positive, ScalingSchedule, Section, TimeZone, kind_or

Utilization = Annotated[float, Field(gt=0, le=100)]
MetricStatistic = Literal["Average", "Minimum", "Maximum", "SampleCount", "Sum"]


class RequestsPolicy(Section):
    """As many requests a second and instance as an instance can take."""

    kind: Literal["requests"] = "requests"
    """What steers the fleet."""
    requests_per_second: Positive = 50.0
    """What one instance can take."""
    safety_factor: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of requests_per_second at which instances are added."""


class ConcurrencyPolicy(Section):
    """As many requests at once and instance; looked at every ten seconds, and so quicker than requests."""

    kind: Literal["concurrency"]
    """What steers the fleet."""
    concurrent_requests: Positive
    """Requests under way at once in one instance, on average."""


class CpuPolicy(Section):
    """As much of the processors."""

    kind: Literal["cpu"]
    """What steers the fleet."""
    percent: Utilization = 60.0
    """Of all of an instance's processors together."""


class GpuPolicy(Section):
    """As much of the GPUs."""

    kind: Literal["gpu"]
    """What steers the fleet."""
    percent: Utilization = 60.0
    """Of all of an instance's GPUs together."""


class BacklogPolicy(Section):
    """As many waiting requests an instance; begins at none, too. For asynchronous endpoints."""

    kind: Literal["backlog"]
    """What steers the fleet."""
    waiting_requests: Positive = 5.0
    """Requests that wait, an instance."""


class ScalingMetric(Section):
    """A CloudWatch metric."""

    namespace: Annotated[str, Field(min_length=1, max_length=255)]
    """Where it is published."""
    name: Annotated[str, Field(min_length=1, max_length=255)]
    """What it is called there."""
    statistic: MetricStatistic = "Average"
    """What is made of a minute's values."""
    dimensions: dict[str, str] = Field(default_factory=dict)
    """Its dimensions; the endpoint's EndpointName and VariantName unless given."""


class MetricPolicy(Section):
    """Any metric that falls when instances are added, near a value."""

    kind: Literal["metric"]
    """What steers the fleet."""
    name: Name
    """The policy's own name."""
    metric: ScalingMetric
    """What is looked at."""
    target: Positive
    """The value to keep."""


class ScalingStep(Section):
    """What is done from how far beyond the threshold."""

    beyond: Annotated[float, Field(ge=0)] = 0
    """How far the metric must be beyond the threshold; the first step begins at 0."""
    instances: int
    """Instances to add; fewer than none to remove."""


class StepPolicy(Section):
    """The further beyond a threshold, the more instances at once."""

    kind: Literal["step"]
    """What steers the fleet."""
    name: Name
    """The policy's own name."""
    metric: ScalingMetric
    """What is looked at."""
    threshold: float
    """The value beyond which something is done."""
    when: Literal["above", "below"] = "above"
    """On which side of the threshold."""
    minutes: Annotated[int, Field(ge=1, le=60)] = 3
    """How many minutes running the metric must be beyond it."""
    steps: Annotated[tuple[ScalingStep, ...], Field(strict=False, min_length=1, max_length=20)]
    """What is done, the nearest step first."""
    cooldown_seconds: Annotated[int, Field(ge=0)] = 300
    """Pause after it."""

    def broken_rules(self) -> Iterator[Broken]:
        """Steps that cover all that lies beyond the threshold, and do something."""
        if self.steps[0].beyond != 0:
            why = f"is {self.steps[0].beyond:g}, so just beyond the threshold nothing would be done: set it to 0"
            yield Broken((("steps[0].beyond", why),))
        for index, (step, following) in enumerate(zip(self.steps, self.steps[1:], strict=False), 1):
            if following.beyond <= step.beyond:
                why = f"is {following.beyond:g} after {step.beyond:g}: order the steps, the nearest first"
                yield Broken(((f"steps[{index}].beyond", why),))
        for index, step in enumerate(self.steps):
            if step.instances == 0:
                yield Broken(((f"steps[{index}].instances", "is 0, which does nothing: add or remove some"),))


class ScheduledPolicy(Section):
    """Other bounds from a moment on, until the next one says otherwise."""

    kind: Literal["scheduled"]
    """What steers the fleet."""
    name: Name
    """The policy's own name."""
    schedule: ScalingSchedule
    """When: cron(…) with six fields, rate(…) or at(…), as Application Auto Scaling has them."""
    timezone: TimeZone = "UTC"
    """The schedule's time zone, such as Europe/Berlin."""
    min: Annotated[int, Field(ge=0)]
    """Fewest instances from then on."""
    max: Count
    """Most instances from then on."""

    def broken_rules(self) -> Iterator[Broken]:
        """A range."""
        if self.min > self.max:
            fix = "raise max or lower min"
            places = (("min", f"is {self.min} but max is {self.max}: {fix}"), ("max", f"is below min: {fix}"))
            yield Broken(places)


ScalingPolicy = Annotated[
    Annotated[RequestsPolicy, Tag("requests")]
    | Annotated[ConcurrencyPolicy, Tag("concurrency")]
    | Annotated[CpuPolicy, Tag("cpu")]
    | Annotated[GpuPolicy, Tag("gpu")]
    | Annotated[BacklogPolicy, Tag("backlog")]
    | Annotated[MetricPolicy, Tag("metric")]
    | Annotated[StepPolicy, Tag("step")]
    | Annotated[ScheduledPolicy, Tag("scheduled")],
    kind_or("requests"),
]
"""What adds and removes instances; several together keep the largest fleet that any of them asks for."""
