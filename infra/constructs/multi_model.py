"""Multi-model endpoints: one fleet loads the archives that requests name."""

from typing import Any

from infra.config import MultiModelEndpointConfig, Release
from infra.constructs import pictures
from infra.constructs.alarms import MICROSECONDS, EndpointAlarms
from infra.constructs.captured_fleet import CapturedFleet
from infra.constructs.dashboard import HOUR, Picture
from infra.constructs.hosting import Arguments
from infra.constructs.metrics import endpoint_metric
from infra.naming import VARIANT


class MultiModelHosting(CapturedFleet):
    """The release gives the image; the archives below a prefix of the registry are the models.

    Metrics: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (multi-model endpoint metrics)
    """

    _settings: MultiModelEndpointConfig

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
