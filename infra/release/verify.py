"""Is what was deployed what is live? Terraform reports a SageMaker rollback as a successful apply, so ask each time."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig, Release
from infra.release.image import deployed_digest, digest
from infra.release.intended import Intended, Variant
from infra.session import client

Difference = tuple[str, object, object]
"""What, intended, live."""
Described = dict[str, Any]


def differences(environment: EnvironmentConfig, intended: Intended, release: Release) -> list[Difference]:
    """Every way in which what is live differs from what is intended; empty when it is as declared.

    Args:
        environment: where to look.
        intended: the endpoint as declared.
        release: what the release lock names as current.
    """
    sagemaker = client(environment, "sagemaker")
    endpoint = found(sagemaker.describe_endpoint, EndpointName=intended.endpoint)
    if endpoint is None:
        return [("endpoint", intended.endpoint, "does not exist")]
    pairs: list[Difference] = [
        *_state(endpoint, intended),
        *_configured(sagemaker, endpoint["EndpointConfigName"], intended),
        *_images(environment, endpoint, intended),
        ("rollback alarms", intended.rollback_alarms, _rollback_alarms(endpoint)),
        ("model package", "Approved", approval(sagemaker, release)),
        *_alarms(environment, intended),
        *_capacity(environment, endpoint, intended),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _state(endpoint: Described, intended: Intended) -> Iterator[Difference]:
    """A reason for failure outlives the update that failed: it counts where that update was this one."""
    live = endpoint["EndpointConfigName"]
    yield "status", "InService", endpoint["EndpointStatus"]
    yield "endpoint configuration", intended.configuration, live
    if live != intended.configuration or endpoint["EndpointStatus"] != "InService":
        yield "failure", "none", endpoint.get("FailureReason", "none")


def found(describe: Callable[..., Described], **name: str) -> Described | None:
    """What SageMaker describes; None if there is no such thing. Any other error is not an answer."""
    try:
        return describe(**name)
    except ClientError as error:
        if "not find" in error.response["Error"]["Message"] or "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def approval(sagemaker: Any, release: Release) -> str:  # noqa: ANN401 - a boto3 client
    """Whether the release's model package is still approved, or still there."""
    package = found(sagemaker.describe_model_package, ModelPackageName=release.model_package_arn)
    return "does not exist" if package is None else str(package["ModelApprovalStatus"])


def _configured(sagemaker: Any, name: str, intended: Intended) -> Iterator[Difference]:  # noqa: ANN401 - as above
    """What the endpoint's configuration says; a rollback can leave the endpoint with one that Terraform deleted."""
    configuration = found(sagemaker.describe_endpoint_config, EndpointConfigName=name)
    if configuration is None:
        yield "endpoint configuration", intended.configuration, f"{name}, which does not exist any more"
        return
    live = [*configuration["ProductionVariants"], *configuration.get("ShadowProductionVariants", ())]
    names = tuple(variant.name for variant in intended.variants)
    yield "variants", names, tuple(sorted(variant["VariantName"] for variant in live))
    yield "capture percent", intended.capture_percent, _captured(configuration)
    by_name = {variant["VariantName"]: variant for variant in live}
    for variant in intended.variants:
        if variant.name in by_name:
            yield from _variant(sagemaker, variant, by_name[variant.name])


def _variant(sagemaker: Any, declared: Variant, live: Described) -> Iterator[Difference]:  # noqa: ANN401 - as above
    of = "" if declared.name == "main" else f" of {declared.name}"
    yield f"instance type{of}", declared.instance_type, live.get("InstanceType")
    yield f"weight{of}", declared.weight, live.get("InitialVariantWeight", 1)
    model = found(sagemaker.describe_model, ModelName=live["ModelName"])
    if model is None:
        yield f"model{of}", _plain(declared.model_data), f"{live['ModelName']}, which does not exist any more"
        return
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    yield f"image{of}", _plain(declared.images), _plain(tuple(map(_image, containers)))
    yield f"model data{of}", _plain(declared.model_data), _plain(tuple(one.get("ModelDataUrl") for one in containers))


def _image(container: Described) -> str:
    """A container's image, or the model package that names it."""
    return str(container.get("Image") or container["ModelPackageName"])


def _images(environment: EnvironmentConfig, endpoint: Described, intended: Intended) -> Iterator[Difference]:
    """What the instances run, by digest: a tag could have been moved since."""
    images = {image for variant in intended.variants for image in variant.images}
    for variant in endpoint.get("ProductionVariants", ()):
        for deployed in variant.get("DeployedImages", ()):
            resolved, tag = deployed_digest(deployed), deployed.get("SpecifiedImage")
            if resolved is not None and tag in images:
                yield f"digest of {tag}", digest(environment, tag), resolved


def _captured(configuration: Described) -> int:
    capture = configuration.get("DataCaptureConfig") or {}
    return int(capture["InitialSamplingPercentage"]) if capture.get("EnableCapture") else 0


def _rollback_alarms(endpoint: Described) -> tuple[str, ...]:
    rollback = endpoint.get("LastDeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    return tuple(sorted(alarm["AlarmName"] for alarm in rollback.get("Alarms", ())))


def _alarms(environment: EnvironmentConfig, intended: Intended) -> Iterator[Difference]:
    names = tuple(alarm.name for alarm in intended.alarms)
    pages = client(environment, "cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names))
    live = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    yield "alarms", names, tuple(sorted(live))
    for alarm in intended.alarms:
        if alarm.name in live:
            told = live[alarm.name]
            declared = f"{alarm.metric} {alarm.comparison} {alarm.threshold:g}"
            yield alarm.name, declared, f"{told['MetricName']} {told['ComparisonOperator']} {told['Threshold']:g}"
            yield f"actions of {alarm.name}", "enabled", "enabled" if told["ActionsEnabled"] else "disabled"


def _capacity(environment: EnvironmentConfig, endpoint: Described, intended: Intended) -> Iterator[Difference]:
    # An endpoint that was never in service has no variants.
    live = {one["VariantName"]: one.get("CurrentInstanceCount", 0) for one in endpoint.get("ProductionVariants", ())}
    for fleet in intended.scaling:
        of = "" if fleet.variant == "main" else f" of {fleet.variant}"
        wanted = f"{fleet.minimum} to {fleet.maximum}"
        count = live.get(fleet.variant, fleet.minimum)
        if not fleet.minimum <= count <= fleet.maximum:
            yield f"instances{of}", wanted, count
        if fleet.scaled:
            yield f"scaling{of}", "registered", _registered(environment, intended.endpoint, fleet.variant)


def _registered(environment: EnvironmentConfig, endpoint: str, variant: str) -> str:
    targets = client(environment, "application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint}/variant/{variant}"]
    )["ScalableTargets"]
    if not targets:
        return "not registered"
    suspended = [name for name, is_so in targets[0].get("SuspendedState", {}).items() if is_so]
    return "suspended" if suspended else "registered"


def _plain(values: tuple[str | None, ...]) -> object:
    return values[0] if len(values) == 1 else values
