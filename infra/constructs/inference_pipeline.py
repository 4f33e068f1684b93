"""Inference pipelines: containers of the owner's own before and after the model's, on each instance."""

from typing import Any

from infra.config import ContainerConfig, InferencePipelineEndpointConfig, Release
from infra.constructs import pictures
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.captured_fleet import CapturedFleet
from infra.constructs.dashboard import HOUR, Picture
from infra.constructs.hosting import Arguments
from infra.constructs.metrics import container_metric
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.sharing import PULL
from infra.naming import MODEL_CONTAINER, VARIANT


class InferencePipelineHosting(CapturedFleet):
    """What one container answers, the next is asked; capture sees the first request and the last answer.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html
    """

    _settings: InferencePipelineEndpointConfig

    def containers(self, release: Release) -> Arguments:
        """In order: before, the model's, after."""
        own = {
            "container_hostname": MODEL_CONTAINER,
            "image": release.image,
            "model_data_url": release.model_data_url,
        }
        settings = self._settings
        return {
            "container": [*map(_container, settings.before), own, *map(_container, settings.after)],
            "inference_execution_config": {"mode": "Serial"},
        }

    def identity(self, release: Release) -> list[Any]:
        """Every container."""
        return [*super().identity(release), self._settings.model_dump(include={"before", "after"})]

    def grant(self, role: ServiceRole) -> None:
        """Captured traffic, and the images and archives of the containers around the model's."""
        super().grant(role)
        around = (*self._settings.before, *self._settings.after)
        role.grant(allow(list(PULL), sorted({_repository(one) for one in around})))
        archives = sorted(one.model_archive.removeprefix("s3://") for one in around if one.model_archive is not None)
        if archives:
            role.grant(allow(["s3:GetObject"], [f"arn:aws:s3:::{archive}" for archive in archives]))

    def alarms(self, alarms: EndpointAlarms) -> None:
        """Errors and latency of the whole pipeline."""
        alarms.errors(self._settings.alarms.max_error_percent)
        alarms.latency(self._settings.alarms.max_latency_ms)

    def pictures(self) -> list[Picture]:
        """Traffic, errors, latency, and each container's part in it."""
        endpoint, settings = self.names.base, self._settings
        hosts = [*(one.name for one in settings.before), MODEL_CONTAINER, *(one.name for one in settings.after)]
        each = [container_metric("ContainerLatency", endpoint, host, "p99") for host in hosts]
        shared = pictures.answering(endpoint, {VARIANT: settings.instance_type}, self.names.environment.region)
        return [*shared, Picture("Latency of each container (microseconds)", HOUR, each)]


def _container(settings: ContainerConfig) -> Arguments:
    return {
        "container_hostname": settings.name,
        "image": settings.image,
        "model_data_url": settings.model_archive,
        "environment": settings.environment or None,
    }


def _repository(settings: ContainerConfig) -> str:
    found = settings.repository
    return f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
