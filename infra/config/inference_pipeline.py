"""Several containers in series: what one answers is what the next is asked."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from infra.config.base import ECR_IMAGE, Broken, EcrImage, InstanceType, ModelArchive, Name, Section
from infra.config.endpoint import AlarmsConfig, CaptureConfig
from infra.config.fleet import fleet_problems
from infra.config.rollout import AllAtOnceRollout, RolloutConfig
from infra.config.scaling import ScalingConfig

MOST_CONTAINERS: Final = 15
"""Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html"""
VariableName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=1024)]
VariableValue = Annotated[str, Field(max_length=1024)]


class ContainerConfig(Section):
    """A container of your own, before or after the model's; it has no network, like the model's."""

    name: Name
    """The container's name; its latency and logs go by it."""
    image: EcrImage
    """Image in ECR, in the environment's region, with a tag or digest that is never moved."""
    model_archive: ModelArchive | None = None
    """S3 URI of a tar.gz that is unpacked to /opt/ml/model; none unless given."""
    environment: dict[VariableName, VariableValue] = Field(default_factory=dict, max_length=16)
    """Environment variables; no secrets."""

    @property
    def repository(self) -> re.Match[str]:
        """The image's account, region and repository, by these names."""
        found = re.match(ECR_IMAGE, self.image)
        assert found is not None  # noqa: S101 - the field's pattern
        return found

    def broken_rules(self) -> Iterator[Broken]:
        """An image by a tag that moves is another one tomorrow."""
        if self.image.endswith(":latest"):
            yield Broken((("image", f"is {self.image}, a tag that moves: name a version or a digest"),))


Containers = Annotated[tuple[ContainerConfig, ...], Field(strict=False)]


class InferencePipelineEndpointConfig(Section):
    """Your own containers around the model's, such as one that looks features up, or one that words the answer.

    Neither a shadow nor further variants (https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html:
    multiple-container endpoints).
    """

    not_monitored: ClassVar[str | None] = (
        "AWS captures what enters and leaves an inference pipeline, not what its model is asked and answers"
    )

    refused: ClassVar[Mapping[str, str]] = {
        "shadow": "AWS runs no shadow beside several containers",
        "variants": "variants of an inference pipeline are not supported",
        "weight": "variants of an inference pipeline are not supported",
    }

    kind: Literal["inference-pipeline"]
    """How requests are answered."""
    before: Containers = ()
    """Containers that a request passes before the model, in order."""
    after: Containers = ()
    """Containers that the model's answer passes, in order."""
    instance_type: InstanceType = "ml.m5.large"
    """SageMaker instance type of the serving fleet; all containers run on each instance."""
    decision_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which the predicted label is true (binary classification only)."""
    scaling: ScalingConfig = ScalingConfig()
    """How many instances serve."""
    rollout: RolloutConfig = AllAtOnceRollout()
    """How an update reaches callers, and what takes it back."""
    capture: CaptureConfig = CaptureConfig()
    """Which requests and answers of the whole pipeline are kept."""
    alarms: AlarmsConfig = AlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """Two to fifteen containers, each with a name of its own."""
        yield from fleet_problems(self.instance_type, self.scaling, self.rollout)
        names = [("before", i, one.name) for i, one in enumerate(self.before)]
        names += [("after", i, one.name) for i, one in enumerate(self.after)]
        if not names:
            fix = "name a container, or take kind: real-time"
            yield Broken((("before", f"and after are both empty, so nothing is in series: {fix}"),))
        if len(names) >= MOST_CONTAINERS:
            why = f"and before hold {len(names)} containers, but AWS takes {MOST_CONTAINERS} with the model's"
            yield Broken((("after", f"{why}: join some"),))
        taken = {"model"}
        for where, index, name in names:
            if name in taken:
                yield Broken(((f"{where}[{index}].name", f'is "{name}", which is taken: give each its own'),))
            taken.add(name)
