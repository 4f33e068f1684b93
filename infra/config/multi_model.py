"""Many models behind one endpoint: each request names the archive that is to answer it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from infra.config.base import Broken, InstanceType, KeyPrefix, Positive, Section
from infra.config.endpoint import AlarmsConfig, CaptureConfig
from infra.config.fleet import fleet_problems
from infra.config.instance import has_gpu
from infra.config.rollout import AllAtOnceRollout, RolloutConfig
from infra.config.scaling import ScalingConfig


class MultiModelAlarmsConfig(AlarmsConfig):
    """When the endpoint itself raises an alarm."""

    max_loading_ms: Positive = 5000.0
    """Time a request may wait for its model to be loaded, on average, in milliseconds."""


class MultiModelEndpointConfig(Section):
    """Archives below one prefix of the registry, loaded on demand by the release's image.

    The release gives the image; which models there are is decided by what lies below the prefix. Neither a shadow nor
    further variants (https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html).
    """

    not_monitored: ClassVar[str | None] = "a multi-model endpoint answers for many models, and drift has one baseline"

    refused: ClassVar[Mapping[str, str]] = {
        "shadow": "AWS runs no shadow beside a multi-model endpoint",
        "variants": "a request to a multi-model endpoint names its model",
        "weight": "a request to a multi-model endpoint names its model",
    }

    kind: Literal["multi-model"]
    """How requests are answered."""
    archives: KeyPrefix = "archives"
    """Folder of the model archives, below the model's own in the registry bucket."""
    cache: bool = True
    """Whether loaded models stay in memory; turn it off for many models that are seldom asked."""
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
    alarms: MultiModelAlarmsConfig = MultiModelAlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """On GPU instances AWS takes the Triton server only.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-support.html
        """
        yield from fleet_problems(self.instance_type, self.scaling, self.rollout)
        if has_gpu(self.instance_type):
            why = "on whose GPU a multi-model endpoint takes NVIDIA's Triton server only, not our image"
            yield Broken((("instance_type", f"is {self.instance_type}, {why}: take a CPU instance type"),))
