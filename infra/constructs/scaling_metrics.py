"""What each scaling policy looks at, and the value it keeps, as Application Auto Scaling takes it.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-code-define.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
"""

from itertools import pairwise
from typing import Any

from infra.config import (
    BacklogPolicy,
    ConcurrencyPolicy,
    CpuPolicy,
    GpuPolicy,
    MetricPolicy,
    RequestsPolicy,
    ScalingMetric,
    ScalingStep,
    StepPolicy,
)
from infra.config.instance_sizes import gpus, processors
from infra.naming import VARIANT

SECONDS_A_MINUTE = 60
INSTANCES = "/aws/sagemaker/Endpoints"
SERVICE = "AWS/SageMaker"
Tracking = RequestsPolicy | ConcurrencyPolicy | CpuPolicy | GpuPolicy | BacklogPolicy | MetricPolicy
Block = dict[str, Any]


def tracked(policy: Tracking, *, endpoint: str, instance_type: str) -> Block:
    """The metric and the target value of a target-tracking policy.

    CPU and GPU utilization count 100 % for each processor, and the normalized metrics are published for inference
    components only.
    """
    if isinstance(policy, RequestsPolicy):
        target = policy.requests_per_second * policy.safety_factor * SECONDS_A_MINUTE
        return _predefined("SageMakerVariantInvocationsPerInstance", target)
    if isinstance(policy, ConcurrencyPolicy):
        return _predefined("SageMakerVariantConcurrentRequestsPerModelHighResolution", policy.concurrent_requests)
    metric, target = _customized(policy, endpoint, instance_type)
    block = {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "statistic": metric.statistic,
        "dimensions": [{"name": name, "value": value} for name, value in dimensions(metric, endpoint).items()],
    }
    return {"customized_metric_specification": block, "target_value": target}


def dimensions(metric: ScalingMetric, endpoint: str) -> dict[str, str]:
    """A metric's dimensions; those of the endpoint's variant unless it names its own."""
    return metric.dimensions or {"EndpointName": endpoint, "VariantName": VARIANT}


def awakening(endpoint: str, cooldown_seconds: int) -> StepPolicy:
    """One instance as soon as a request waits and nobody is there: a backlog an instance has no value then."""
    metric = ScalingMetric(
        namespace=SERVICE, name="HasBacklogWithoutCapacity", dimensions={"EndpointName": endpoint}, statistic="Average"
    )
    return StepPolicy(
        kind="step",
        name="awakening",
        metric=metric,
        threshold=0,
        minutes=2,
        steps=(ScalingStep(instances=1),),
        cooldown_seconds=cooldown_seconds,
    )


def steps(policy: StepPolicy) -> list[Block]:
    """Step adjustments, each from how far beyond the threshold until the next begins."""
    bounds = [*(step.beyond for step in policy.steps), None]
    near, far = "metric_interval_lower_bound", "metric_interval_upper_bound"
    if policy.when == "below":
        near, far = far, near
        bounds = [None if bound is None else -bound for bound in bounds]
    return [
        {"scaling_adjustment": step.instances, near: _text(begin), **({} if end is None else {far: _text(end)})}
        for step, (begin, end) in zip(policy.steps, pairwise(bounds), strict=True)
    ]


def _predefined(name: str, target: float) -> Block:
    return {"predefined_metric_specification": {"predefined_metric_type": name}, "target_value": target}


def _customized(
    policy: CpuPolicy | GpuPolicy | BacklogPolicy | MetricPolicy, endpoint: str, instance_type: str
) -> tuple[ScalingMetric, float]:
    if isinstance(policy, CpuPolicy):
        return ScalingMetric(namespace=INSTANCES, name="CPUUtilization"), policy.percent * processors(instance_type)
    if isinstance(policy, GpuPolicy):
        return ScalingMetric(namespace=INSTANCES, name="GPUUtilization"), policy.percent * gpus(instance_type)
    if isinstance(policy, BacklogPolicy):
        whole = {"EndpointName": endpoint}
        name = "ApproximateBacklogSizePerInstance"
        return ScalingMetric(namespace=SERVICE, name=name, dimensions=whole), policy.waiting_requests
    return policy.metric, policy.target


def _text(bound: float | None) -> str:
    """A bound as the provider reads it back."""
    return f"{bound or 0:f}".rstrip("0").rstrip(".")
