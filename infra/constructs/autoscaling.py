"""Scaling in the user's units: each policy of the model's file as a resource."""

from typing import Any

from infra.config import BacklogPolicy, FleetSize, ScheduledPolicy, StepPolicy
from infra.constructs.scaling_metrics import SECONDS_A_MINUTE, Tracking, awakening, dimensions, steps, tracked
from infra.naming import VARIANT
from infra.provider import Construct, Resource, aws


class Autoscaling(Construct):
    """A scalable target on the variant, and what moves it.

    A scheduled action changes the target's bounds; so where there is one, Terraform sets them at first, and then
    leaves them to it.
    """

    def __init__(
        self, scope: Construct, id_: str, *, scaling: FleetSize, endpoint: str, instance_type: str, after: Resource
    ) -> None:
        super().__init__(scope, id_)
        self._scaling, self._endpoint, self._instance_type = scaling, endpoint, instance_type
        self._target = aws.AppautoscalingTarget(
            self,
            "target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint}/variant/{VARIANT}",
            min_capacity=scaling.min,
            max_capacity=scaling.max,
            depends_on=[after],
            **_left_alone(scaling),
        )
        for policy in scaling.in_force:
            if isinstance(policy, ScheduledPolicy):
                self._schedule(policy)
            elif isinstance(policy, StepPolicy):
                self._step(policy)
            else:
                self._track(policy)
                if isinstance(policy, BacklogPolicy) and scaling.lowest == 0:
                    self._step(awakening(endpoint, scaling.scale_out_cooldown_seconds))

    @property
    def _whose(self) -> dict[str, Any]:
        target = self._target
        return {
            "service_namespace": target.service_namespace,
            "scalable_dimension": target.scalable_dimension,
            "resource_id": target.resource_id,
        }

    def _track(self, policy: Tracking) -> None:
        name = getattr(policy, "name", policy.kind)
        configuration: Any = {
            **tracked(policy, endpoint=self._endpoint, instance_type=self._instance_type),
            "scale_in_cooldown": self._scaling.scale_in_cooldown_seconds,
            "scale_out_cooldown": self._scaling.scale_out_cooldown_seconds,
        }
        aws.AppautoscalingPolicy(
            self,
            name,
            name=f"{self._endpoint}-{name}",
            policy_type="TargetTrackingScaling",
            **self._whose,
            target_tracking_scaling_policy_configuration=configuration,
        )

    def _step(self, policy: StepPolicy) -> None:
        name = f"{self._endpoint}-{policy.name}"
        configuration: Any = {
            "adjustment_type": "ChangeInCapacity",
            "cooldown": policy.cooldown_seconds,
            "metric_aggregation_type": "Average",
            "step_adjustment": steps(policy),
        }
        made = aws.AppautoscalingPolicy(
            self,
            policy.name,
            name=name,
            policy_type="StepScaling",
            **self._whose,
            step_scaling_policy_configuration=configuration,
        )
        metric = policy.metric
        aws.CloudwatchMetricAlarm(
            self,
            f"{policy.name}-alarm",
            alarm_name=f"{name}-scaling",
            alarm_description=f"Scales {self._endpoint}: nobody has to do anything.",
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dimensions(metric, self._endpoint),
            statistic=metric.statistic,
            comparison_operator="GreaterThanThreshold" if policy.when == "above" else "LessThanThreshold",
            threshold=policy.threshold,
            period=SECONDS_A_MINUTE,
            evaluation_periods=policy.minutes,
            datapoints_to_alarm=policy.minutes,
            treat_missing_data="missing",
            alarm_actions=[made.arn],
        )

    def _schedule(self, policy: ScheduledPolicy) -> None:
        aws.AppautoscalingScheduledAction(
            self,
            policy.name,
            name=f"{self._endpoint}-{policy.name}",
            **self._whose,
            schedule=policy.schedule,
            timezone=policy.timezone,
            scalable_target_action={"min_capacity": str(policy.min), "max_capacity": str(policy.max)},
        )


def _left_alone(scaling: FleetSize) -> dict[str, Any]:
    scheduled = any(isinstance(policy, ScheduledPolicy) for policy in scaling.in_force)
    return {"lifecycle": {"ignore_changes": ["min_capacity", "max_capacity"]}} if scheduled else {}
