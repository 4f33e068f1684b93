"""How the model is served."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from infra.config.base import Broken, InstanceType, Percent, Positive, Section
from infra.config.fleet import fleet_problems
from infra.config.rollout import MOST_ALARMS, AllAtOnceRollout, RolloutConfig
from infra.config.scaling import ScalingConfig
from infra.config.variants import ShadowConfig, VariantConfig, Weight, inexact
from infra.naming import SHADOW_VARIANT, VARIANT

MOST_VARIANTS: Final = 4
"""Beside the release: each has an errors alarm, and SageMaker watches ten alarms in all during an update."""


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

    not_monitored: ClassVar[str | None] = None

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
    weight: Weight = 1.0
    """The release's share of the traffic, relative to the variants' weights."""
    variants: Annotated[tuple[VariantConfig, ...], Field(strict=False, max_length=MOST_VARIANTS)] = ()
    """Other versions that share the traffic with the release; at most 4."""
    shadow: ShadowConfig | None = None
    """Another version that gets copies of requests; none unless given."""
    capture: CaptureConfig = CaptureConfig()
    """Which requests and answers are kept."""
    alarms: AlarmsConfig = AlarmsConfig()
    """When the endpoint itself raises an alarm."""

    def broken_rules(self) -> Iterator[Broken]:
        """Instances that can be scaled, and variants that AWS can tell apart and keep."""
        yield from fleet_problems(self.instance_type, self.scaling, self.rollout)
        yield from inexact("weight", self.weight)
        yield from self._variants_problems()
        if self.variants:
            yield from self._rollout_problems()
        if self.shadow is not None and self.variants:
            why = "is set beside variants, but AWS takes one production variant where there is a shadow"
            yield Broken((("shadow", f"{why}: remove one of the two"),))

    def _variants_problems(self) -> Iterator[Broken]:
        taken = {VARIANT, SHADOW_VARIANT}
        for index, name in enumerate(variant.name for variant in self.variants):
            if name in taken:
                yield Broken(((f"variants[{index}].name", f'is "{name}", which is taken: give each its own'),))
            taken.add(name)
        if not self.variants and self.weight != 1:
            yield Broken((("weight", f"is {self.weight:g} but there are no variants to share with: remove it"),))
        elif self.variants and not any((self.weight, *(variant.weight for variant in self.variants))):
            yield Broken((("weight", "is 0 like every variant's, so nobody would be asked: raise one"),))

    def _rollout_problems(self) -> Iterator[Broken]:
        """What several variants do not allow of a rollout.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
        """
        if self.rollout.kind == "rolling":
            fix = "remove the variants, or roll out all-at-once, canary or linear"
            message = f"is rolling, which SageMaker does not do with several variants: {fix}"
            yield Broken((("rollout.kind", message), ("variants", f"do not go with a rolling rollout: {fix}")))
        more = self.rollout.more_alarms
        watched = len(self.rollout.roll_back_on) + len(self.variants) + len(more)
        if more and watched > MOST_ALARMS:
            why = f"makes {watched} alarms with roll_back_on and the variants', but SageMaker watches {MOST_ALARMS}"
            yield Broken((("rollout.more_alarms", f"{why}: remove {watched - MOST_ALARMS}"),))
