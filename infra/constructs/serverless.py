"""Serverless endpoints: containers that AWS starts when requests come."""

from collections.abc import Mapping
from typing import Any

from infra.config import Release, ServerlessEndpointConfig
from infra.constructs import pictures
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.dashboard import HOUR, Picture
from infra.constructs.hosting import Arguments, Hosting
from infra.constructs.metrics import Metric, endpoint_metric
from infra.constructs.platform import Platform
from infra.naming import VARIANT, ModelNames

MB_A_GB = 1_024
USED = "ServerlessConcurrentExecutionsUtilization"


class ServerlessHosting(Hosting):
    """Up to `max_concurrency` requests at once; AWS has neither network isolation nor guarded updates here.

    Metrics: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html
    """

    isolated = False

    def __init__(self, names: ModelNames, platform: Platform, settings: ServerlessEndpointConfig) -> None:
        super().__init__(names, platform)
        self._settings = settings

    def identity(self, release: Release) -> list[Any]:
        """Not the same model as one with network isolation."""
        return [*super().identity(release), "not isolated"]

    def content(self) -> list[Any]:
        """Memory and concurrency."""
        return [self._concurrency()]

    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """One variant without instances."""
        del versions
        return {
            "production_variants": [
                {"variant_name": VARIANT, "model_name": model, "serverless_config": self._concurrency()}
            ]
        }

    def alarms(self, alarms: EndpointAlarms) -> None:
        """Errors and latency, concurrency that comes near its limit, and requests refused at it."""
        settings, use = self._settings.alarms, self._metric(USED, "Maximum")
        alarms.errors(settings.max_error_percent)
        alarms.latency(settings.max_latency_ms)
        alarms.add(
            "concurrency",
            use,
            comparison="at least",
            threshold=settings.max_concurrency_percent / 100,
            description=f"{alarms.endpoint} uses {settings.max_concurrency_percent:g} % of max_concurrency.",
            severity="warning",
            runbook="serverless-concurrency",
        )
        alarms.add(
            "throttles",
            use,
            comparison="at least",
            threshold=1,
            periods=1,
            datapoints=1,
            description=f"{alarms.endpoint} is at max_concurrency: requests are throttled.",
            severity="critical",
            runbook="serverless-concurrency",
        )

    def pictures(self) -> list[Picture]:
        """Traffic, errors, latency, concurrency and cold starts."""
        used = [self._metric(USED, "Maximum")]
        if self._settings.provisioned_concurrency is not None:
            used.append(self._metric("ServerlessProvisionedConcurrencyUtilization", "Maximum"))
        started = [self._metric(name, "Average") for name in ("ModelSetupTime", "OverheadLatency")]
        endpoint = self.names.base
        return [
            pictures.requests(endpoint, an_instance=False),
            pictures.errors(endpoint),
            pictures.latency(endpoint),
            Picture("Concurrency (share of the limit)", HOUR, used),
            Picture("Cold start (microseconds)", HOUR, started),
            *pictures.answers_cost(endpoint, self._settings.memory_mb / MB_A_GB, self.names.environment.region),
        ]

    def _concurrency(self) -> Arguments:
        settings = self._settings
        concurrency = {"memory_size_in_mb": settings.memory_mb, "max_concurrency": settings.max_concurrency}
        if settings.provisioned_concurrency is not None:
            concurrency["provisioned_concurrency"] = settings.provisioned_concurrency
        return concurrency

    def _metric(self, name: str, statistic: str) -> Metric:
        return endpoint_metric(name, self.names.base, statistic)
