"""How an update replaces one fleet by another: a deployment configuration read as the steps it means.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from infra.local.validation import Json, ValidationException

LONGEST_SECONDS: Final = 28_800
HALF, WHOLE = Fraction(1, 2), Fraction(1)


@dataclass(frozen=True)
class Plan:
    """A whole update."""

    shares: tuple[Fraction, ...] = (WHOLE,)
    """Of the requests, those that the new fleet answers, step by step."""
    bake_seconds: int = 0
    """After each step: so long the rollback alarms are watched."""
    termination_wait_seconds: int = 0
    """After the last bake, until the old fleet is stopped."""
    limit_seconds: int = LONGEST_SECONDS
    alarms: tuple[str, ...] = ()
    """Any of these going off during a bake takes the update back."""
    rolling: bool = False
    """Whether instances are replaced as their share moves, so that no more run than a step's beyond the usual."""
    rollback_step: Fraction = WHOLE
    """The share that comes back at once."""


def plan_of(deployment: Json | None, instances: Mapping[str, int]) -> Plan:
    """Read a deployment configuration.

    Args:
        deployment: `DeploymentConfig` as in UpdateEndpoint; None is all at once, without a bake.
        instances: Of the new fleet, by variant; a variant without instances of its own has 0.

    Raises:
        ValidationException: AWS would not follow it for such a fleet.
    """
    deployment = deployment or {}
    blue_green, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    alarms = tuple(alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", []))
    if blue_green and rolling:
        raise ValidationException("Specify either BlueGreenUpdatePolicy or RollingUpdatePolicy, not both.")
    if rolling:
        return _rolling(rolling, alarms, instances)
    return _blue_green(blue_green or {}, alarms, min(instances.values()))


def require_same_variants(plan: Plan, old: Collection[str], new: Collection[str]) -> None:
    """Refuse an update in which two fleets answer, or a bake takes place, if they have other variants.

    Raises:
        ValidationException: they have.
    """
    if (len(plan.shares) > 1 or plan.bake_seconds) and set(old) != set(new):
        raise ValidationException(
            "The new endpoint configuration must have the same variant names as the old one, "
            f"but has {', '.join(sorted(new))} in place of {', '.join(sorted(old))}."
        )


def _blue_green(policy: Json, alarms: tuple[str, ...], instances: int) -> Plan:
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    for member, kind in (("CanarySize", "CANARY"), ("LinearStepSize", "LINEAR")):
        if (member in routing) != (routing["Type"] == kind):
            raise ValidationException(f"{member} must be specified for traffic routing of type {kind}, and no other.")
    return Plan(
        tuple(_shares(routing, instances)),
        routing.get("WaitIntervalInSeconds", 0),
        policy.get("TerminationWaitInSeconds", 0),
        policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_SECONDS),
        alarms,
    )


def _shares(routing: Json, instances: int) -> Iterator[Fraction]:
    if routing["Type"] == "CANARY":
        yield _fraction(routing, "CanarySize", instances)
    if routing["Type"] == "LINEAR":
        step = _fraction(routing, "LinearStepSize", instances, least=Fraction(1, 10))
        yield from (step * number for number in range(1, ceil(1 / step)))
    yield WHOLE


def _rolling(policy: Json, alarms: tuple[str, ...], instances: Mapping[str, int]) -> Plan:
    (total, *others) = instances.values()
    if others or not total:
        raise ValidationException("Rolling updates take an endpoint with one production variant that has instances.")
    step = _whole_instances(_fraction(policy, "MaximumBatchSize", total, least=Fraction(1, 20)), total)
    asked = "RollbackMaximumBatchSize" in policy
    back = _fraction(policy, "RollbackMaximumBatchSize", total, most=WHOLE) if asked else WHOLE
    return Plan(
        (*(step * number for number in range(1, ceil(1 / step))), WHOLE),
        policy["WaitIntervalInSeconds"],
        limit_seconds=policy.get("MaximumExecutionTimeoutInSeconds", LONGEST_SECONDS),
        alarms=alarms,
        rolling=True,
        rollback_step=_whole_instances(back, total),
    )


def _whole_instances(part: Fraction, total: int) -> Fraction:
    return Fraction(max(1, int(part * total)), total)


def _fraction(
    owner: Json, member: str, total: int, *, least: Fraction = Fraction(0), most: Fraction = HALF
) -> Fraction:
    """A size as a part of the fleet: a percentage is that part itself, whatever the number of instances."""
    kind, value = owner[member]["Type"], owner[member]["Value"]
    if kind == "INSTANCE_COUNT" and not total:
        raise ValidationException(f"{member} must be a CAPACITY_PERCENT where the variant has no instances.")
    fraction = Fraction(value, 100 if kind == "CAPACITY_PERCENT" else total)
    if not least <= fraction <= most:
        raise ValidationException(
            f"{member} must be between {float(least):.0%} and {float(most):.0%} of the variant's {total} instances, "
            f"but {value} ({kind}) is {float(fraction):.0%}."
        )
    return fraction
