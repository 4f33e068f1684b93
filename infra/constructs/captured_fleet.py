"""What endpoints have in common that answer at once from a fleet of instances, and whose traffic is captured."""

from collections.abc import Mapping
from typing import Any

from infra.config import (
    InferencePipelineEndpointConfig,
    MultiModelEndpointConfig,
    RealTimeEndpointConfig,
    RolloutConfig,
    ScalingConfig,
)
from infra.constructs.hosting import Arguments, Hosting
from infra.constructs.permissions import ServiceRole
from infra.constructs.platform import Platform
from infra.naming import VARIANT, ModelNames


class CapturedFleet(Hosting):
    """One variant on one fleet, scaled and updated as the owner says; a kind adds what it has besides."""

    _settings: RealTimeEndpointConfig | MultiModelEndpointConfig | InferencePipelineEndpointConfig

    def __init__(
        self,
        names: ModelNames,
        platform: Platform,
        settings: RealTimeEndpointConfig | MultiModelEndpointConfig | InferencePipelineEndpointConfig,
    ) -> None:
        super().__init__(names, platform)
        self._settings = settings

    @property
    def scaling(self) -> ScalingConfig:
        """As the owner says."""
        return self._settings.scaling

    @property
    def rollout(self) -> RolloutConfig:
        """As the owner says."""
        return self._settings.rollout

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The one type of its fleet."""
        return (self._settings.instance_type,)

    def content(self) -> list[Any]:
        """The fleet and the capture."""
        settings = self._settings
        return [settings.instance_type, settings.scaling.initial_count, settings.capture.percent]

    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """One variant, and the capture."""
        del versions
        settings = self._settings
        instances = settings.scaling.initial_count
        variant = fleet(VARIANT, model, instance_type=settings.instance_type, instances=instances)
        return {"production_variants": [variant], **self.capture(settings.capture.percent)}

    def grant(self, role: ServiceRole) -> None:
        """Captured traffic."""
        self.platform.capture.grant_write(role, f"{self.names.model}/")


def fleet(variant: str, model: str, *, instance_type: str, instances: int, weight: float = 1) -> Arguments:
    """A variant that runs on instances."""
    return {
        "variant_name": variant,
        "model_name": model,
        "instance_type": instance_type,
        "initial_instance_count": instances,
        "initial_variant_weight": int(weight) if weight == int(weight) else weight,
    }
