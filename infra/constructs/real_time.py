"""Real-time endpoints: the release on a fleet, other versions beside it with a share of the traffic, or a shadow."""

from collections.abc import Mapping
from typing import Any

from infra.config import RealTimeEndpointConfig, ShadowConfig, VariantConfig
from infra.constructs import pictures
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.captured_fleet import CapturedFleet, fleet
from infra.constructs.dashboard import Picture
from infra.constructs.hosting import Arguments
from infra.naming import SHADOW_VARIANT, VARIANT


class RealTimeHosting(CapturedFleet):
    """Each request is answered at once."""

    _settings: RealTimeEndpointConfig

    @property
    def versions(self) -> tuple[int, ...]:
        """The variants' and the shadow's, each once."""
        shadow = self._settings.shadow
        variants = [variant.version for variant in self._settings.variants]
        return tuple(sorted({*variants, *([] if shadow is None else [shadow.version])}))

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The release's type, and what runs beside it."""
        settings = self._settings
        shadow = [] if settings.shadow is None else [self._type(settings.shadow)]
        return (settings.instance_type, *map(self._type, settings.variants), *shadow)

    def content(self) -> list[Any]:
        """The fleet and the capture, and what is served beside the release if anything is."""
        beside = self._settings.model_dump(include={"weight", "variants", "shadow"})
        return [*super().content(), *([beside] if self.versions else [])]

    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """The release's variant, the others, the shadow and the capture."""
        settings, shadow = self._settings, self._settings.shadow
        own = fleet(
            VARIANT,
            model,
            instance_type=settings.instance_type,
            instances=settings.scaling.initial_count,
            weight=settings.weight,
        )
        others = [self._fleet(one.name, versions[one.version], one) for one in settings.variants]
        shadows = None if shadow is None else [self._fleet(SHADOW_VARIANT, versions[shadow.version], shadow)]
        return {
            "production_variants": [own, *others],
            "shadow_production_variants": shadows,
            **self.capture(settings.capture.percent),
        }

    def alarms(self, alarms: EndpointAlarms) -> None:
        """Errors of each variant that answers, and the latency that the owner allows."""
        alarms.errors(self._settings.alarms.max_error_percent)
        alarms.latency(self._settings.alarms.max_latency_ms)
        for variant in self._settings.variants:
            alarms.errors(self._settings.alarms.max_error_percent, variant=variant.name)

    def pictures(self) -> list[Picture]:
        """Traffic, errors, latency, capacity; lines for each variant."""
        settings = self._settings
        beside: dict[str, VariantConfig | ShadowConfig] = {one.name: one for one in settings.variants}
        if settings.shadow is not None:
            beside[SHADOW_VARIANT] = settings.shadow
        types = {name: self._type(one) for name, one in beside.items()}
        fleets = {VARIANT: settings.instance_type, **types}
        return pictures.answering(self.names.base, fleets, self.names.environment.region)

    def _fleet(self, name: str, model: str, beside: VariantConfig | ShadowConfig) -> Arguments:
        return fleet(name, model, instance_type=self._type(beside), instances=beside.instances, weight=beside.weight)

    def _type(self, beside: VariantConfig | ShadowConfig) -> str:
        return self._settings.instance_type if beside.instance_type is None else beside.instance_type
