"""Is what was deployed what is live? Terraform reports a SageMaker rollback as a successful apply, so ask each time."""

from typing import Any

from infra.config import EnvironmentConfig
from infra.release.intended import Intended
from infra.session import client

Difference = tuple[str, object, object]
"""What, intended, live."""


def differences(environment: EnvironmentConfig, intended: Intended) -> list[Difference]:
    """Every way in which the live endpoint differs from the intended one; empty when it is as declared."""
    sagemaker = client(environment, "sagemaker")
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=intended.endpoint)
    except sagemaker.exceptions.ClientError:
        return [("endpoint", intended.endpoint, "does not exist")]
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    container = sagemaker.describe_model(ModelName=configuration["ProductionVariants"][0]["ModelName"])[
        "PrimaryContainer"
    ]
    pairs: list[Difference] = [
        ("status", "InService", endpoint["EndpointStatus"]),
        ("failure", "none", endpoint.get("FailureReason", "none")),
        ("endpoint configuration", intended.configuration, endpoint["EndpointConfigName"]),
        ("image", intended.image, container["Image"]),
        ("model data", intended.model_data_url, container["ModelDataUrl"]),
        ("instance type", intended.instance_type, configuration["ProductionVariants"][0]["InstanceType"]),
        ("capture percent", intended.capture_percent, _captured(configuration)),
        ("alarms", intended.alarms, _present(environment, intended.alarms)),
    ]
    found = [pair for pair in pairs if pair[1] != pair[2]]
    return found + _capacity(endpoint, intended)


def _captured(configuration: dict[str, Any]) -> int:
    capture = configuration.get("DataCaptureConfig") or {}
    return int(capture["InitialSamplingPercentage"]) if capture.get("EnableCapture") else 0


def _capacity(endpoint: dict[str, Any], intended: Intended) -> list[Difference]:
    count = endpoint["ProductionVariants"][0]["CurrentInstanceCount"]
    if intended.minimum <= count <= intended.maximum:
        return []
    return [("instances", f"{intended.minimum} to {intended.maximum}", count)]


def _present(environment: EnvironmentConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    pages = client(environment, "cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=list(names))
    return tuple(sorted(alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]))
