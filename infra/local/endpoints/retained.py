"""What an update leaves as it is, though the new endpoint configuration says otherwise.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html, RetainAllVariantProperties
"""

from dataclasses import dataclass
from typing import Self

from infra.local.endpoints.fleet import Fleet
from infra.local.validation import Json

PROPERTIES = frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"})


@dataclass(frozen=True)
class Retained:
    """The properties kept of the fleet that serves."""

    fleet: Fleet
    properties: frozenset[str]

    @classmethod
    def of(cls, request: Json, fleet: Fleet | None) -> Self | None:
        """What an UpdateEndpoint request wants kept, if anything."""
        if not request.get("RetainAllVariantProperties") or fleet is None:
            return None
        excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])}
        return cls(fleet, PROPERTIES - excluded)

    def put_into(self, config: Json) -> Json:
        """An endpoint configuration with the kept properties in place of its own."""
        variants = [self._variant(variant) for variant in config["ProductionVariants"]]
        kept = {"ProductionVariants": variants}
        if "DataCaptureConfig" in self.properties and "DataCaptureConfig" in self.fleet.config:
            kept["DataCaptureConfig"] = self.fleet.config["DataCaptureConfig"]
        return config | kept

    def _variant(self, variant: Json) -> Json:
        live = self.fleet.variants.get(variant["VariantName"])
        if live is None:
            return variant
        kept: Json = {}
        if "DesiredInstanceCount" in self.properties and "InitialInstanceCount" in variant:
            kept["InitialInstanceCount"] = live.instances
        if "DesiredWeight" in self.properties:
            kept["InitialVariantWeight"] = live.weight
        return variant | kept
