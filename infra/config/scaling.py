"""How many instances serve."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from infra.config.base import Broken, Count, Positive, Section
from infra.config.instance_sizes import gpus
from infra.config.scaling_policies import BacklogPolicy, RequestsPolicy, ScalingPolicy, ScheduledPolicy


class FleetSize(Section):
    """What every fleet has."""

    min: Annotated[int, Field(ge=0)] = 1
    """Fewest instances; none only where requests can wait, on an asynchronous endpoint with a backlog policy."""
    max: Count = 2
    """Most instances; the same as min turns autoscaling off."""
    initial: Count | None = None
    """Instances when the endpoint is created; min unless given, and at least one."""
    policies: Annotated[tuple[ScalingPolicy, ...], Field(strict=False)] = ()
    """What adds and removes instances; unless given, one of the kind that suits the endpoint."""
    scale_in_cooldown_seconds: Annotated[int, Field(ge=0)] = 300
    """Pause after instances were removed."""
    scale_out_cooldown_seconds: Annotated[int, Field(ge=0)] = 60
    """Pause after instances were added."""
    startup_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a new instance takes until it serves, if you have measured it: no pause may then be shorter."""

    @property
    def initial_count(self) -> int:
        """Instances when the endpoint is created."""
        return max(self.min, 1) if self.initial is None else self.initial

    @property
    def lowest(self) -> int:
        """The fewest instances that there may ever be."""
        return min([self.min, *(low for _, low in _scheduled_minimums(self))])

    @property
    def in_force(self) -> tuple[ScalingPolicy, ...]:
        """The policies, or the one that stands in for them; none where there is nothing to scale."""
        scheduled = any(isinstance(policy, ScheduledPolicy) for policy in self.policies)
        return (self.policies or (self._default(),)) if self.max > self.min or scheduled else ()

    def _default(self) -> ScalingPolicy:
        raise NotImplementedError

    def broken_rules(self) -> Iterator[Broken]:
        """A fleet needs min <= initial <= max, policies that act, and pauses in which an instance can start."""
        yield from self._range()
        if self.policies and not self.in_force:
            why = f"is {self.max}, the same as min, so no policy would ever act: raise it, or remove the policies"
            yield Broken((("max", why), ("policies", why)))
        names = Counter(getattr(policy, "name", policy.kind) for policy in self.policies)
        for name in sorted(name for name, times in names.items() if times > 1):
            yield Broken((("policies", f"has {name} twice: keep one, or give each its own name"),))
        for key in ("scale_out_cooldown_seconds", "scale_in_cooldown_seconds"):
            pause = getattr(self, key)
            if self.startup_seconds is not None and pause < self.startup_seconds:
                why = f"is {pause} but an instance takes {self.startup_seconds} to start, so more would be started"
                yield Broken(((key, f"{why} than are needed: raise it to startup_seconds"),))

    def _range(self) -> Iterator[Broken]:
        low, start, high = self.min, self.initial_count, self.max
        if low > high:
            fix = "raise max or lower min"
            yield Broken((("min", f"is {low} but max is {high}: {fix}"), ("max", f"is {high} but min is {low}: {fix}")))
        elif start < low:
            fix = "raise initial or lower min"
            yield Broken(
                (("initial", f"is {start} but min is {low}: {fix}"), ("min", f"is {low} but initial is {start}: {fix}"))
            )
        elif start > high:
            fix = "raise max or lower initial"
            yield Broken(
                (
                    ("initial", f"is {start} but max is {high}: {fix}"),
                    ("max", f"is {high} but initial is {start}: {fix}"),
                )
            )


class ScalingConfig(FleetSize):
    """How many instances serve, in the owner's units: requests per second that one instance can take."""

    requests_per_second: Positive = 50.0
    """What one instance can take, where no policies are given."""
    safety_factor: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of requests_per_second at which instances are added, where no policies are given."""

    def _default(self) -> ScalingPolicy:
        return RequestsPolicy(requests_per_second=self.requests_per_second, safety_factor=self.safety_factor)

    def broken_rules(self) -> Iterator[Broken]:
        """Somebody is always there to answer, beside the rules of every fleet.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
        """
        yield from super().broken_rules()
        if self.policies:
            for key in ("requests_per_second", "safety_factor"):
                if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default:
                    why = "is set beside policies, which say it themselves: move it into one of kind requests"
                    yield Broken(((key, why),))
        why = "is 0, but requests to this kind of endpoint cannot wait for an instance"
        for key, low in [("min", self.min), *_scheduled_minimums(self)]:
            if low == 0:
                yield Broken(((key, f"{why}: set it to 1, or take an asynchronous endpoint"),))
        for index, policy in enumerate(self.policies):
            if isinstance(policy, BacklogPolicy):
                why = "is backlog, but requests wait in a queue on asynchronous endpoints only: take requests"
                yield Broken(((f"policies[{index}].kind", why),))


class BacklogScalingConfig(FleetSize):
    """How many instances work a queue off: by what waits, down to none."""

    def _default(self) -> ScalingPolicy:
        return BacklogPolicy(kind="backlog")

    def broken_rules(self) -> Iterator[Broken]:
        """What is steered by exists, and somebody wakes an empty fleet.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
        """
        yield from super().broken_rules()
        for index, policy in enumerate(self.policies):
            if policy.kind in {"requests", "concurrency"}:
                why = f"is {policy.kind}, which SageMaker does not measure of an asynchronous endpoint, so it would"
                yield Broken(((f"policies[{index}].kind", f"{why} never scale: take backlog"),))
        empty = [key for key, low in [("min", self.min), *_scheduled_minimums(self)] if low == 0]
        if empty and self.in_force and not any(isinstance(one, BacklogPolicy) for one in self.in_force):
            why = "is 0, but no policy of kind backlog wakes an empty fleet: add one, or raise it"
            yield Broken(((empty[0], why),))


def policy_problems(instance_type: str, scaling: FleetSize) -> Iterator[Broken]:
    """Policies that a kind of instance never moves; key paths are relative to the endpoint's section."""
    for index, policy in enumerate(scaling.policies):
        if policy.kind == "gpu" and not gpus(instance_type):
            why = f"is gpu, but {instance_type} has no GPU, so it would never scale: take cpu or requests"
            yield Broken(((f"scaling.policies[{index}].kind", why),))


def _scheduled_minimums(scaling: FleetSize) -> list[tuple[str, int]]:
    return [
        (f"policies[{index}].min", policy.min)
        for index, policy in enumerate(scaling.policies)
        if isinstance(policy, ScheduledPolicy)
    ]
