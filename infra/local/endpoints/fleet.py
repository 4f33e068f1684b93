"""The variants behind one endpoint configuration, and which of them gets the next request."""

import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError

from infra.local.endpoints.capture import Capture
from infra.local.endpoints.serverless import ServerlessVariant
from infra.local.endpoints.serving_process import UnhealthyError
from infra.local.endpoints.shadow import Shadow
from infra.local.endpoints.variant import Host, Variant
from infra.local.engine import ImageNotFoundError
from infra.local.execution_role import ExecutionRole
from infra.local.identity.authority import AccessDeniedError
from infra.local.model_containers import ModelError
from infra.local.validation import Json, UnsupportedOperation, ValidationException

REASONS = (ModelError, ImageNotFoundError, AccessDeniedError, UnsupportedOperation, ValidationException, ClientError)
"""Why a variant cannot be started, in words that are told as they are."""


class FleetError(Exception):
    """A fleet that cannot serve, in the words of an endpoint's FailureReason."""


class Fleet:
    """Everything that serves one endpoint configuration."""

    def __init__(self, host: Host, endpoint: str, config: Json) -> None:
        self.config = config
        self._folder = host.cloud.home / "endpoints" / endpoint / uuid.uuid4().hex[:8]
        self.variants = {
            each["VariantName"]: self._variant(host, endpoint, each) for each in config["ProductionVariants"]
        }
        """Those that answer, by name."""
        self.shadows = [
            Shadow(self._variant(host, endpoint, each), sum(variant.weight for variant in self.variants.values()))
            for each in config.get("ShadowProductionVariants", [])
        ]
        self.capture = Capture.of(host.cloud, endpoint, config.get("DataCaptureConfig"), lambda: self.role)
        self._credit = dict.fromkeys(self.variants, 0.0)
        self._choosing = threading.Lock()

    @property
    def role(self) -> ExecutionRole:
        """In whose name it captures and, asynchronously, reads, answers and notifies; once it has been started."""
        return next(iter(self.variants.values())).role

    @property
    def is_asynchronous(self) -> bool:
        """Whether requests wait in a queue, and their answers lie in S3."""
        return bool(self.config.get("AsyncInferenceConfig"))

    @property
    def every_variant(self) -> dict[str, Variant]:
        """Those that answer, and those that shadow them."""
        return self.variants | {shadow.variant.name: shadow.variant for shadow in self.shadows}

    @property
    def instances(self) -> dict[str, int]:
        """How many instances each variant has."""
        return {name: variant.instances for name, variant in self.every_variant.items()}

    @property
    def sizes(self) -> dict[str, int]:
        """The instances of each production variant, 0 for one that has none of its own."""
        return {name: variant.instances if variant.has_instances else 0 for name, variant in self.variants.items()}

    def start(self, instances: Mapping[str, int] | None = None) -> None:
        """Start every variant, with so many `instances` if they are not to be those of the configuration.

        Returns when all are healthy.

        Raises:
            FleetError: one cannot be; what was started is stopped again.
        """
        for name, variant in self.every_variant.items():
            try:
                with _fleet_error(variant):
                    variant.instances = (instances or self.instances)[name]
                    variant.start(self.config.get("KmsKeyId"))
            except FleetError:
                self.retire()
                raise

    def scale(self, instances: Mapping[str, int]) -> None:
        """Give every variant so many instances; returns when all are healthy.

        Raises:
            FleetError: one cannot be.
        """
        for name, variant in self.every_variant.items():
            if variant.instances != instances[name]:
                with _fleet_error(variant):
                    variant.scale(instances[name])

    def choose(self, target: str | None = None) -> Variant:
        """The variant for the next request: `target`, or each in proportion to its weight.

        Raises:
            KeyError: there is no variant `target`.
        """
        if target is not None:
            return self.variants[target]
        if len(self.variants) == 1:
            return next(iter(self.variants.values()))
        with self._choosing:
            for name, variant in self.variants.items():
                self._credit[name] += variant.weight
            name = max(self._credit, key=lambda name: self._credit[name])
            self._credit[name] -= sum(variant.weight for variant in self.variants.values())
            return self.variants[name]

    def retire(self) -> None:
        """Finish the requests under way, stop the processes, and write out what was captured."""
        for variant in self.every_variant.values():
            variant.retire()
        if self.capture:
            self.capture.flush()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _variant(self, host: Host, endpoint: str, config: Json) -> Variant:
        kind = ServerlessVariant if config.get("ServerlessConfig") else Variant
        return kind(host, endpoint, self._folder / config["VariantName"], config)


@contextmanager
def _fleet_error(variant: Variant) -> Iterator[None]:
    try:
        yield
    except UnhealthyError as error:
        raise FleetError(
            f"The {error.container} container for production variant {variant.name} did not pass the ping health check."
            f" Please check CloudWatch logs for this endpoint. {error}"
        ) from error
    except REASONS as error:
        raise FleetError(str(error)) from error
