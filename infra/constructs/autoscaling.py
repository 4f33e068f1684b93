"""Scaling in the user's units: requests per second that one instance can take, and a safety factor."""

from infra.config import ScalingConfig
from infra.naming import VARIANT
from infra.provider import Construct, Resource, aws

SECONDS_A_MINUTE = 60


class Autoscaling(Construct):
    """A scalable target on the variant, and target tracking on its invocations a minute and instance.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
    """

    def __init__(self, scope: Construct, id_: str, *, scaling: ScalingConfig, endpoint: str, after: Resource) -> None:
        super().__init__(scope, id_)
        target = aws.AppautoscalingTarget(
            self,
            "target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint}/variant/{VARIANT}",
            min_capacity=scaling.min,
            max_capacity=scaling.max,
            depends_on=[after],
        )
        aws.AppautoscalingPolicy(
            self,
            "requests",
            name=f"{endpoint}-requests",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance"},
                "target_value": scaling.requests_per_second * scaling.safety_factor * SECONDS_A_MINUTE,
                "scale_in_cooldown": scaling.scale_in_cooldown_seconds,
                "scale_out_cooldown": scaling.scale_out_cooldown_seconds,
            },
        )
