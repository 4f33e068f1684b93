"""What each scaling policy looks at, in CloudWatch's units."""

import pytest

from infra.config import (
    BacklogPolicy,
    ConcurrencyPolicy,
    CpuPolicy,
    GpuPolicy,
    MetricPolicy,
    RequestsPolicy,
    ScalingMetric,
    StepPolicy,
)
from infra.config.instance_sizes import gpus, processors
from infra.constructs.scaling_metrics import awakening, steps, tracked


def looked_at(policy, instance_type="ml.m5.xlarge"):
    """The metric's name, its dimensions and the target."""
    block = tracked(policy, endpoint="acme-churn", instance_type=instance_type)
    metric = block.get("customized_metric_specification")
    if metric is None:
        return block["predefined_metric_specification"]["predefined_metric_type"], None, block["target_value"]
    dimensions = {one["name"]: one["value"] for one in metric["dimensions"]}
    return f"{metric['namespace']} {metric['metric_name']}", dimensions, block["target_value"]


VARIANT = {"EndpointName": "acme-churn", "VariantName": "main"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            RequestsPolicy(requests_per_second=40, safety_factor=0.5),
            ("SageMakerVariantInvocationsPerInstance", None, 40 * 0.5 * 60),
        ),
        (
            ConcurrencyPolicy(kind="concurrency", concurrent_requests=4),
            ("SageMakerVariantConcurrentRequestsPerModelHighResolution", None, 4),
        ),
        (CpuPolicy(kind="cpu", percent=50), ("/aws/sagemaker/Endpoints CPUUtilization", VARIANT, 50 * 4)),
        (
            BacklogPolicy(kind="backlog", waiting_requests=3),
            ("AWS/SageMaker ApproximateBacklogSizePerInstance", {"EndpointName": "acme-churn"}, 3),
        ),
        (
            MetricPolicy(
                kind="metric", name="queue", metric=ScalingMetric(namespace="shop", name="Waiting"), target=10
            ),
            ("shop Waiting", VARIANT, 10),
        ),
    ],
)
def test_each_policy_tracks_its_metric_at_a_target_in_that_metrics_unit(policy, expected):
    assert looked_at(policy) == expected


def test_gpus_are_counted_as_cloudwatch_counts_them():
    policy = GpuPolicy(kind="gpu", percent=60)
    assert looked_at(policy, "ml.g5.12xlarge") == ("/aws/sagemaker/Endpoints GPUUtilization", VARIANT, 60 * 4)


@pytest.mark.parametrize(
    ("instance_type", "count"),
    [("ml.m5.large", 2), ("ml.c7g.medium", 1), ("ml.m5.xlarge", 4), ("ml.c5.9xlarge", 36), ("ml.c4.8xlarge", 36)],
)
def test_processors_are_known_by_the_size(instance_type, count):
    assert processors(instance_type) == count


@pytest.mark.parametrize(
    ("instance_type", "count"),
    [("ml.g5.xlarge", 1), ("ml.g5.48xlarge", 8), ("ml.p3.8xlarge", 4), ("ml.p4d.24xlarge", 8), ("ml.m5.large", 0)],
)
def test_gpus_are_known_by_family_and_size(instance_type, count):
    assert gpus(instance_type) == count


def step(when, *pairs):
    metric = ScalingMetric(namespace="shop", name="Waiting")
    given = [{"beyond": beyond, "instances": instances} for beyond, instances in pairs]
    return StepPolicy(kind="step", name="rush", metric=metric, threshold=5, when=when, steps=given)


def test_each_step_reaches_from_its_own_distance_to_the_next_ones():
    assert steps(step("above", (0, 1), (2.5, 4))) == [
        {"scaling_adjustment": 1, "metric_interval_lower_bound": "0", "metric_interval_upper_bound": "2.5"},
        {"scaling_adjustment": 4, "metric_interval_lower_bound": "2.5"},
    ]


def test_below_a_threshold_distances_count_downwards():
    assert steps(step("below", (0, -1), (10, -2))) == [
        {"scaling_adjustment": -1, "metric_interval_upper_bound": "0", "metric_interval_lower_bound": "-10"},
        {"scaling_adjustment": -2, "metric_interval_upper_bound": "-10"},
    ]


def test_an_empty_fleet_is_woken_by_the_first_request_that_waits():
    policy = awakening("acme-churn", 120)
    assert (policy.metric.name, policy.metric.dimensions) == (
        "HasBacklogWithoutCapacity",
        {"EndpointName": "acme-churn"},
    )
    assert (policy.threshold, policy.when, policy.cooldown_seconds) == (0, "above", 120)
    assert steps(policy) == [{"scaling_adjustment": 1, "metric_interval_lower_bound": "0"}]
