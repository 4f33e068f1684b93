"""How an update of the endpoint reaches its callers, and what takes it back.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from collections.abc import Iterator
from math import ceil
from typing import Annotated, Final, Literal

from pydantic import Field, Tag, field_validator

from infra.config.base import Broken, Count, RulesBroken, Section, kind_or

MOST_ALARMS: Final = 10
"""Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AutoRollbackConfig.html"""
SECONDS_TO_ALARM: Final = 180
"""The errors alarm looks at three minutes, and so does the latency alarm."""
TERRAFORM_WAITS_SECONDS: Final = 3_600
"""So long the provider waits for an endpoint to be in service; no argument changes it."""
WITHOUT_GUARDRAILS: Final = ("ml.inf1.",)
"""SageMaker updates these all at once and without a bake, whatever it is told.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"""

BakeSeconds = Annotated[int, Field(ge=0, le=3_600)]
RollbackAlarm = Literal["errors", "latency"]
AlarmName = Annotated[str, Field(min_length=1, max_length=255)]


class Rollout(Section):
    """What every kind of rollout has."""

    kind: str
    """How traffic moves to the new instances."""
    bake_seconds: BakeSeconds = 300
    """How long the rollback alarms are watched, at each step, before the next."""
    roll_back_on: Annotated[tuple[RollbackAlarm, ...], Field(strict=False)] = ("errors", "latency")
    """The model's own alarms that take the update back."""
    more_alarms: Annotated[tuple[AlarmName, ...], Field(strict=False)] = ()
    """Names of other CloudWatch alarms that take it back, such as one on a business metric."""
    timeout_seconds: Annotated[int, Field(ge=600, le=28_800)] | None = None
    """When an update is given up and taken back; SageMaker's own limit unless given."""

    @field_validator("roll_back_on", mode="before")
    @classmethod
    def _not_on_quality(cls, names: object) -> object:
        if isinstance(names, list) and "quality" in names:
            why = "names quality, which is of windows before the update: it would take back what is to mend it"
            fix = "take errors and latency, and name an alarm on a metric of your own in more_alarms"
            raise RulesBroken(Broken((("roll_back_on", f"{why}; {fix}"),)), field="roll_back_on")
        return names

    @property
    def last_bake_seconds(self) -> int:
        """How long the old instances are kept after all traffic has moved."""
        return self.bake_seconds

    @property
    def waiting_seconds(self) -> int:
        """All the bakes of one update together."""
        return self.bake_seconds + self.last_bake_seconds

    def broken_rules(self) -> Iterator[Broken]:
        """Something takes an update back, has the time to, and the update can end."""
        watched = len(self.roll_back_on) + len(self.more_alarms)
        if not watched:
            why = "and more_alarms are both empty, so nothing would take a bad update back"
            yield Broken((("roll_back_on", f"{why}: name an alarm"),))
        elif watched > MOST_ALARMS:
            why = f"makes {watched} alarms with roll_back_on, but SageMaker watches {MOST_ALARMS}"
            yield Broken((("more_alarms", f"{why}: remove {watched - MOST_ALARMS}"),))
        if self.bake_seconds < SECONDS_TO_ALARM and not self._may_skip_the_bake():
            why = f"is {self.bake_seconds} but the model's alarms take {SECONDS_TO_ALARM} seconds to be raised"
            yield Broken((("bake_seconds", f"{why}, so nothing would be taken back: raise it"),))
        yield from self._late()

    def _may_skip_the_bake(self) -> bool:
        return False

    def _late(self) -> Iterator[Broken]:
        waiting = self.waiting_seconds
        if self.timeout_seconds is not None and waiting >= self.timeout_seconds:
            why = f"is {self.timeout_seconds} but the bakes alone take {waiting} seconds"
            yield Broken((("timeout_seconds", f"{why}: raise it, or lower bake_seconds"),))
        elif waiting >= TERRAFORM_WAITS_SECONDS:
            why = (
                f"makes bakes of {waiting} seconds in all, but Terraform waits {TERRAFORM_WAITS_SECONDS} for an update"
            )
            yield Broken((("bake_seconds", f"{why}: lower it, or take fewer steps"),))


class AllAtOnceRollout(Rollout):
    """All traffic at once; the old instances are kept for the bake."""

    kind: Literal["all-at-once"] = "all-at-once"
    """How traffic moves to the new instances: all-at-once, canary, linear or rolling."""

    def _may_skip_the_bake(self) -> bool:
        return self.bake_seconds == 0


class CanaryRollout(Rollout):
    """A small part of the traffic first, then the rest."""

    kind: Literal["canary"]
    """How traffic moves to the new instances: all-at-once, canary, linear or rolling."""
    percent: Annotated[int, Field(ge=1, le=50)] = 10
    """The canary's share of the new instances."""
    instances: Count | None = None
    """The canary in instances, instead of percent."""
    final_bake_seconds: BakeSeconds = 300
    """How long the old instances are kept after all traffic has moved."""

    @property
    def last_bake_seconds(self) -> int:
        """How long the old instances are kept after all traffic has moved."""
        return self.final_bake_seconds

    @property
    def waiting_seconds(self) -> int:
        """All the bakes of one update together."""
        return 2 * self.bake_seconds + self.final_bake_seconds

    def broken_rules(self) -> Iterator[Broken]:
        """One size, beside the rules of every rollout."""
        yield from super().broken_rules()
        if self.instances is not None and "percent" in self.model_fields_set:
            why = f"is {self.instances} but percent is {self.percent}: remove one of the two"
            yield Broken((("instances", why),))


class LinearRollout(Rollout):
    """The traffic in equal steps."""

    kind: Literal["linear"]
    """How traffic moves to the new instances: all-at-once, canary, linear or rolling."""
    step_percent: Annotated[int, Field(ge=10, le=50)] = 25
    """The share of the new instances that each step adds."""
    final_bake_seconds: BakeSeconds = 300
    """How long the old instances are kept after all traffic has moved."""

    @property
    def last_bake_seconds(self) -> int:
        """How long the old instances are kept after all traffic has moved."""
        return self.final_bake_seconds

    @property
    def waiting_seconds(self) -> int:
        """All the bakes of one update together."""
        return ceil(100 / self.step_percent) * self.bake_seconds + self.final_bake_seconds


class RollingRollout(Rollout):
    """Instances replaced batch by batch: there are never many more than usual."""

    kind: Literal["rolling"]
    """How traffic moves to the new instances: all-at-once, canary, linear or rolling."""
    batch_percent: Annotated[int, Field(ge=5, le=50)] = 25
    """The share of the instances that is replaced at a time."""
    rollback_batch_percent: Annotated[int, Field(ge=5, le=100)] = 100
    """The share that comes back at a time when the update is taken back."""

    @property
    def waiting_seconds(self) -> int:
        """All the bakes of one update together."""
        return ceil(100 / self.batch_percent) * self.bake_seconds


RolloutConfig = Annotated[
    Annotated[AllAtOnceRollout, Tag("all-at-once")]
    | Annotated[CanaryRollout, Tag("canary")]
    | Annotated[LinearRollout, Tag("linear")]
    | Annotated[RollingRollout, Tag("rolling")],
    kind_or("all-at-once"),
]
"""How an update reaches callers; all at once where no kind is named."""


def rollout_problems(rollout: RolloutConfig, *, minimum: int, instance_type: str) -> Iterator[Broken]:
    """What a fleet does not allow of a rollout; key paths are relative to the endpoint's section.

    Args:
        rollout: what is asked for.
        minimum: the fewest instances that there may be when an update begins.
        instance_type: of the fleet.
    """
    if instance_type.startswith(WITHOUT_GUARDRAILS) and (rollout.kind != "all-at-once" or rollout.bake_seconds):
        why = f"is {instance_type}, which SageMaker updates all at once and without a bake"
        fix = "take another type, or write `rollout: {kind: all-at-once, bake_seconds: 0}`"
        yield Broken((("instance_type", f"{why}: {fix}"), ("rollout.kind", f"does not work on {instance_type}: {fix}")))
    elif rollout.kind != "all-at-once" and minimum < 2:  # noqa: PLR2004 - one to leave, one to stay
        why = f"is {rollout.kind}, which moves a part of the instances, but scaling.min is {minimum}"
        fix = "raise scaling.min to 2, or roll out all-at-once"
        yield Broken((("rollout.kind", f"{why}: {fix}"), ("scaling.min", f"is {minimum} but the rollout {why}: {fix}")))
    elif rollout.kind == "canary" and rollout.instances is not None and 2 * rollout.instances > minimum:
        why = f"is {rollout.instances} but scaling.min is {minimum}, and a canary is at most half of the fleet"
        yield Broken((("rollout.instances", f"{why}: lower it, or raise scaling.min"),))
