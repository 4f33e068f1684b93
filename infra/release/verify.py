"""Is what was deployed what is live? Terraform reports a SageMaker rollback as a successful apply, so ask each time."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.config import EnvironmentConfig
from infra.release.intended import Intended
from infra.session import client

Difference = tuple[str, object, object]
"""What, intended, live."""


def differences(environment: EnvironmentConfig, intended: Intended) -> list[Difference]:
    """Every way in which the live endpoint differs from the intended one; empty when it is as declared."""
    sagemaker = client(environment, "sagemaker")
    endpoint = _found(sagemaker.describe_endpoint, EndpointName=intended.endpoint)
    if endpoint is None:
        return [("endpoint", intended.endpoint, "does not exist")]
    pairs: list[Difference] = [
        ("status", "InService", endpoint["EndpointStatus"]),
        ("failure", "none", endpoint.get("FailureReason", "none")),
        ("endpoint configuration", intended.configuration, endpoint["EndpointConfigName"]),
        *_configured(sagemaker, endpoint["EndpointConfigName"], intended),
        ("alarms", intended.alarms, _present(environment, intended.alarms)),
        *_capacity(endpoint, intended),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _configured(sagemaker: Any, name: str, intended: Intended) -> list[Difference]:  # noqa: ANN401 - a boto3 client
    """What the endpoint's configuration says; a rollback can leave the endpoint with one that Terraform deleted."""
    configuration = _found(sagemaker.describe_endpoint_config, EndpointConfigName=name)
    if configuration is None:
        return [("endpoint configuration", intended.configuration, f"{name}, which does not exist any more")]
    variant = configuration["ProductionVariants"][0]
    pairs: list[Difference] = [
        ("instance type", intended.instance_type, variant["InstanceType"]),
        ("capture percent", intended.capture_percent, _captured(configuration)),
    ]
    model = _found(sagemaker.describe_model, ModelName=variant["ModelName"])
    if model is None:
        return [*pairs, ("model", intended.model_data_url, f"{variant['ModelName']}, which does not exist any more")]
    container = model["PrimaryContainer"]
    return [
        *pairs,
        ("image", intended.image, container["Image"]),
        ("model data", intended.model_data_url, container["ModelDataUrl"]),
    ]


def _found(describe: Callable[..., dict[str, Any]], **name: str) -> dict[str, Any] | None:
    """What SageMaker describes; None if there is no such thing. Any other error is not an answer."""
    try:
        return describe(**name)
    except ClientError as error:
        if error.response["Error"]["Message"].startswith("Could not find"):
            return None
        raise


def _captured(configuration: dict[str, Any]) -> int:
    capture = configuration.get("DataCaptureConfig") or {}
    return int(capture["InitialSamplingPercentage"]) if capture.get("EnableCapture") else 0


def _capacity(endpoint: dict[str, Any], intended: Intended) -> list[Difference]:
    variants = endpoint.get("ProductionVariants", ())  # an endpoint that was never in service has none
    counts = [variant["CurrentInstanceCount"] for variant in variants]
    if all(intended.minimum <= count <= intended.maximum for count in counts):
        return []
    return [("instances", f"{intended.minimum} to {intended.maximum}", sum(counts))]


def _present(environment: EnvironmentConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    pages = client(environment, "cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names))
    return tuple(sorted(alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]))
