"""How the model is served."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from infra.config.base import Broken, InstanceType, Percent, Positive, Section
from infra.config.rollout import AllAtOnceRollout, RolloutConfig, rollout_problems
from infra.config.scaling import ScalingConfig

BURSTABLE: Final = ("ml.t2.", "ml.t3.")


class CaptureConfig(Section):
    """Which requests and answers are kept; drift is measured on them."""

    percent: Annotated[int, Field(ge=0, le=100)] = 100
    """Share of requests kept; 0 turns capture off."""


class AlarmsConfig(Section):
    """When the endpoint itself raises an alarm."""

    max_error_percent: Percent = 1.0
    """Share of requests that the container failed to answer (5xx)."""
    max_latency_ms: Positive = 500.0
    """Time the container may take for an answer, in milliseconds."""


class RealTimeEndpointConfig(Section):
    """An endpoint that answers each request at once."""

    kind: Literal["real-time"] = "real-time"
    """How requests are answered."""
    instance_type: InstanceType = "ml.m5.large"
    """SageMaker instance type of the serving fleet."""
    decision_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which the predicted label is true (binary classification only)."""
    scaling: ScalingConfig = ScalingConfig()
    """How many instances serve."""
    rollout: RolloutConfig = AllAtOnceRollout()
    """How an update reaches callers, and what takes it back."""
    capture: CaptureConfig = CaptureConfig()
    """Which requests and answers are kept."""
    alarms: AlarmsConfig = AlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """A burstable instance out of credits is slow at low CPU: autoscaling would not see it."""
        scaling = self.scaling
        if self.instance_type.startswith(BURSTABLE) and scaling.max > scaling.min:
            why = f"is {self.instance_type}, a burstable type, which autoscaling cannot steer"
            yield Broken((("instance_type", f"{why}: take another type, or set scaling.max to scaling.min"),))
        yield from rollout_problems(self.rollout, minimum=scaling.min, instance_type=self.instance_type)


EndpointConfig = RealTimeEndpointConfig
"""The union of all kinds of endpoint, by `kind`; there is one today."""
