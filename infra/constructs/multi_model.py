"""Multi-model endpoints: one fleet loads the archives that requests name."""

from collections.abc import Mapping
from typing import Any

from infra.config import MultiModelEndpointConfig, Release, RolloutConfig, ScalingConfig
from infra.constructs import pictures
from infra.constructs.alarms import MICROSECONDS, EndpointAlarms
from infra.constructs.dashboard import HOUR, Picture
from infra.constructs.hosting import Arguments, Hosting
from infra.constructs.metrics import endpoint_metric
from infra.constructs.permissions import ServiceRole
from infra.constructs.platform import Platform
from infra.constructs.real_time import fleet
from infra.naming import VARIANT, ModelNames


class MultiModelHosting(Hosting):
    """The release gives the image; the archives below a prefix of the registry are the models.

    Metrics: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (multi-model endpoint metrics)
    """

    def __init__(self, names: ModelNames, platform: Platform, settings: MultiModelEndpointConfig) -> None:
        super().__init__(names, platform)
        self._settings = settings

    @property
    def scaling(self) -> ScalingConfig:
        """The fleet is scaled by requests, whichever model they name."""
        return self._settings.scaling

    @property
    def rollout(self) -> RolloutConfig:
        """As the owner says."""
        return self._settings.rollout

    def containers(self, release: Release) -> Arguments:
        """One container that loads archives on demand."""
        container = {
            "image": release.image,
            "mode": "MultiModel",
            "model_data_url": self._archives,
            "multi_model_config": {"model_cache_setting": "Enabled" if self._settings.cache else "Disabled"},
        }
        return {"primary_container": container}

    def identity(self, release: Release) -> list[Any]:
        """The version too: two releases of one image are declared side by side, under two names."""
        return [release.image, release.version, self._archives, self._settings.cache]

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The one type of its fleet."""
        return (self._settings.instance_type,)

    def content(self) -> list[Any]:
        """The fleet and the capture."""
        settings = self._settings
        return [settings.instance_type, settings.scaling.initial_count, settings.capture.percent]

    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """One variant."""
        del versions
        settings = self._settings
        instances = settings.scaling.initial_count
        variant = fleet(VARIANT, model, instance_type=settings.instance_type, instances=instances)
        return {"production_variants": [variant], **self.capture(settings.capture.percent)}

    def grant(self, role: ServiceRole) -> None:
        """Captured traffic; the archives lie where every model may read."""
        self.platform.capture.grant_write(role, f"{self.names.model}/")

    def alarms(self, alarms: EndpointAlarms) -> None:
        """Errors, latency, and requests that wait for their model."""
        settings = self._settings.alarms
        alarms.errors(settings.max_error_percent)
        alarms.latency(settings.max_latency_ms)
        alarms.add(
            "loading",
            endpoint_metric("ModelLoadingWaitTime", alarms.endpoint, "Average"),
            comparison="above",
            threshold=settings.max_loading_ms * MICROSECONDS,
            description=f"Requests to {alarms.endpoint} wait over {settings.max_loading_ms:g} ms for their model.",
            severity="warning",
            runbook="multi-model-loading",
        )

    def pictures(self) -> list[Picture]:
        """Traffic, errors, latency, and how well the cache does."""
        endpoint = self.names.base
        return [
            *pictures.answering(endpoint, {VARIANT: self._settings.instance_type}, self.names.environment.region),
            Picture(
                "Requests whose model was loaded (share)", HOUR, [endpoint_metric("ModelCacheHit", endpoint, "Average")]
            ),
            Picture(
                "Wait for a model (microseconds)",
                HOUR,
                [
                    endpoint_metric(name, endpoint, "Average")
                    for name in ("ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime")
                ],
            ),
        ]

    @property
    def _archives(self) -> str:
        return self.names.archives_uri(self._settings.archives)
