"""What a fleet of one kind of instance does not allow of scaling and rollout."""

from collections.abc import Iterator
from typing import Final

from infra.config.base import Broken
from infra.config.rollout import RolloutConfig, rollout_problems
from infra.config.scaling import FleetSize, policy_problems

BURSTABLE: Final = ("ml.t2.", "ml.t3.")


def fleet_problems(instance_type: str, scaling: FleetSize, rollout: RolloutConfig) -> Iterator[Broken]:
    """Instances that autoscaling cannot steer, and rollouts that the fleet does not allow.

    A burstable instance out of credits is slow at low CPU: autoscaling would not see it.
    """
    if instance_type.startswith(BURSTABLE) and scaling.max > scaling.min:
        why = f"is {instance_type}, a burstable type, which autoscaling cannot steer"
        yield Broken((("instance_type", f"{why}: take another type, or set scaling.max to scaling.min"),))
    yield from policy_problems(instance_type, scaling)
    yield from rollout_problems(rollout, minimum=scaling.lowest, instance_type=instance_type)
