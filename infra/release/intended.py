"""What ought to be live, read from the Terraform that the project synthesizes: the one source of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.release.intended_batch import IntendedBatch, read_batch
from infra.release.stack import Resources, follow, synthesized


@dataclass(frozen=True)
class Variant:
    """A production or shadow variant as declared.

    Attributes:
        name: its name.
        instance_type: None where it has no instances of its own.
        weight: its share of the traffic, relative to the others'.
        images: the container's, or those of a series in their order; the model package where a version names both.
        model_data: where each container's model is; None for one without.
    """

    name: str
    instance_type: str | None
    weight: float
    images: tuple[str, ...]
    model_data: tuple[str | None, ...]


@dataclass(frozen=True)
class Alarm:
    """An alarm as declared: what it compares with what."""

    name: str
    metric: str
    comparison: str
    threshold: float


@dataclass(frozen=True)
class Scaling:
    """How many instances a variant may have: of its scalable target, or widened by its scheduled actions."""

    variant: str
    minimum: int
    maximum: int
    scaled: bool


@dataclass(frozen=True)
class Intended:
    """The endpoint of one model as declared.

    Attributes:
        endpoint: its name.
        configuration: the endpoint configuration that it is to have.
        declared: every endpoint configuration in the stack: those that it may go back to, too.
        variants: by name.
        scaling: of each variant with instances.
        capture_percent: share of requests that is captured.
        alarms: by name.
        rollback_alarms: names of the alarms that take an update back, sorted.
        plan: digest of the stack's Terraform; the same commit gives the same.
    """

    endpoint: str
    configuration: str
    declared: tuple[str, ...]
    variants: tuple[Variant, ...]
    scaling: tuple[Scaling, ...]
    capture_percent: int
    alarms: tuple[Alarm, ...]
    rollback_alarms: tuple[str, ...]
    plan: str


def intended(environment: str, model: str) -> Intended | IntendedBatch:
    """Synthesize and read the stack of a model that has a release."""
    resources, plan = synthesized(environment, model)
    return _read(resources, plan) if "aws_sagemaker_endpoint" in resources else read_batch(resources, plan)


def _read(resources: Resources, plan: str) -> Intended:
    (endpoint,) = resources["aws_sagemaker_endpoint"].values()
    configuration = follow(resources, endpoint["endpoint_config_name"])
    shadows = configuration.get("shadow_production_variants", [])
    variants = [*configuration["production_variants"], *shadows]
    capture = configuration.get("data_capture_config")
    rollback = endpoint.get("deployment_config", {}).get("auto_rollback_configuration", {}).get("alarms", [])
    return Intended(
        endpoint=endpoint["name"],
        configuration=configuration["name"],
        declared=tuple(one["name"] for one in resources["aws_sagemaker_endpoint_configuration"].values()),
        variants=tuple(sorted((_variant(resources, one) for one in variants), key=lambda one: one.name)),
        scaling=tuple(_scaling(resources, one) for one in variants if "initial_instance_count" in one),
        capture_percent=capture["initial_sampling_percentage"] if capture else 0,
        alarms=tuple(sorted(_alarms(resources), key=lambda alarm: alarm.name)),
        rollback_alarms=tuple(sorted(alarm["alarm_name"] for alarm in rollback)),
        plan=plan,
    )


def _variant(resources: Resources, variant: dict[str, Any]) -> Variant:
    model = follow(resources, variant["model_name"])
    containers = model["container"] if "container" in model else [model["primary_container"]]
    return Variant(
        name=variant["variant_name"],
        instance_type=variant.get("instance_type"),
        weight=variant.get("initial_variant_weight", 1),
        images=tuple(one.get("image") or one["model_package_name"] for one in containers),
        model_data=tuple(one.get("model_data_url") for one in containers),
    )


def _alarms(resources: Resources) -> Iterator[Alarm]:
    for one in resources.get("aws_cloudwatch_metric_alarm", {}).values():
        if "metric_name" in one:
            yield Alarm(one["alarm_name"], one["metric_name"], one["comparison_operator"], one["threshold"])


def _scaling(resources: Resources, variant: dict[str, Any]) -> Scaling:
    name, fixed = variant["variant_name"], variant["initial_instance_count"]
    ranges = [
        (int(one["min_capacity"]), int(one["max_capacity"]))
        for one in _scalable(resources)
        if one["resource_id"].endswith(f"/variant/{name}")
    ]
    if not ranges:
        return Scaling(name, fixed, fixed, scaled=False)
    return Scaling(name, min(low for low, _ in ranges), max(high for _, high in ranges), scaled=True)


def _scalable(resources: Resources) -> Iterator[dict[str, Any]]:
    yield from resources.get("aws_appautoscaling_target", {}).values()
    for action in resources.get("aws_appautoscaling_scheduled_action", {}).values():
        yield action | action["scalable_target_action"]
