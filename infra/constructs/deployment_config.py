"""A rollout as SageMaker's deployment configuration.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html
"""

from typing import Any

from infra.config import CanaryRollout, LinearRollout, RollingRollout, RolloutConfig

Block = dict[str, Any]


def deployment_config(rollout: RolloutConfig, alarms: list[str]) -> Any:  # noqa: ANN401 - checked when the resource is made
    """The endpoint's `deployment_config` block.

    Args:
        rollout: how traffic moves.
        alarms: names of the alarms that take an update back.
    """
    rollback = {"auto_rollback_configuration": {"alarms": [{"alarm_name": name} for name in alarms]}}
    if isinstance(rollout, RollingRollout):
        return {"rolling_update_policy": _rolling(rollout), **rollback}
    return {"blue_green_update_policy": _blue_green(rollout), **rollback}


def _rolling(rollout: RollingRollout) -> Block:
    return {
        "maximum_batch_size": _percent(rollout.batch_percent),
        "rollback_maximum_batch_size": _percent(rollout.rollback_batch_percent),
        "wait_interval_in_seconds": rollout.bake_seconds,
        "maximum_execution_timeout_in_seconds": rollout.timeout_seconds,
    }


def _blue_green(rollout: RolloutConfig) -> Block:
    """The wait of a step bakes it; after the last, the old fleet is kept on until its termination."""
    return {
        "traffic_routing_configuration": _routing(rollout),
        "termination_wait_in_seconds": rollout.last_bake_seconds,
        "maximum_execution_timeout_in_seconds": rollout.timeout_seconds,
    }


def _routing(rollout: RolloutConfig) -> Block:
    if isinstance(rollout, CanaryRollout):
        by_count = {"type": "INSTANCE_COUNT", "value": rollout.instances}
        size = _percent(rollout.percent) if rollout.instances is None else by_count
        return {"type": "CANARY", "wait_interval_in_seconds": rollout.bake_seconds, "canary_size": size}
    if isinstance(rollout, LinearRollout):
        step = _percent(rollout.step_percent)
        return {"type": "LINEAR", "wait_interval_in_seconds": rollout.bake_seconds, "linear_step_size": step}
    return {"type": "ALL_AT_ONCE", "wait_interval_in_seconds": rollout.bake_seconds}


def _percent(value: int) -> Block:
    return {"type": "CAPACITY_PERCENT", "value": value}
