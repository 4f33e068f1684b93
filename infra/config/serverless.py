"""An endpoint without instances: AWS starts containers when requests come, and takes them away again."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from infra.config.base import Broken, Percent, Positive, Section

Concurrency = Annotated[int, Field(ge=1, le=200)]


class ServerlessAlarmsConfig(Section):
    """When the endpoint itself raises an alarm."""

    max_error_percent: Percent = 1.0
    """Share of requests that the container failed to answer (5xx)."""
    max_latency_ms: Positive = 500.0
    """Time the container may take for an answer, in milliseconds; starting it does not count."""
    max_concurrency_percent: Annotated[float, Field(gt=0, lt=100)] = 80.0
    """Share of max_concurrency in use; at 100 requests are throttled, which is an alarm of its own."""


class ServerlessEndpointConfig(Section):
    """An endpoint that costs nothing while nobody asks, and takes seconds to wake.

    AWS offers no VPC, network isolation, data capture, GPU, further variant or shadow here.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html (feature exclusions).
    """

    not_monitored: ClassVar[str | None] = "AWS captures no requests of a serverless endpoint"

    refused: ClassVar[Mapping[str, str]] = {
        "capture": "AWS captures no requests of a serverless endpoint",
        "instance_type": "a serverless endpoint has memory_mb instead, and no GPU",
        "rollout": "SageMaker updates a serverless endpoint all at once, whatever it is told",
        "scaling": "AWS scales a serverless endpoint itself, up to max_concurrency",
        "shadow": "AWS runs no shadow beside a serverless endpoint",
        "variants": "AWS runs one variant of a serverless endpoint",
        "weight": "AWS runs one variant of a serverless endpoint",
    }

    kind: Literal["serverless"]
    """How requests are answered."""
    decision_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which the predicted label is true (binary classification only)."""
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of a container, in MB; its share of CPU grows with it."""
    max_concurrency: Concurrency = 20
    """Requests answered at once; those beyond are throttled. The account's quota is shared by all endpoints."""
    provisioned_concurrency: Concurrency | None = None
    """Containers that are kept warm, and paid for; none unless given."""
    alarms: ServerlessAlarmsConfig = ServerlessAlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """What is kept warm is part of what may run."""
        warm, most = self.provisioned_concurrency, self.max_concurrency
        if warm is not None and warm > most:
            fix = "raise max_concurrency or lower provisioned_concurrency"
            yield Broken(
                (
                    ("provisioned_concurrency", f"is {warm} but max_concurrency is {most}: {fix}"),
                    ("max_concurrency", f"is {most} but provisioned_concurrency is {warm}: {fix}"),
                )
            )
