"""An endpoint: what its operations tell of it."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.endpoints.fleet import Fleet
from infra.local.endpoints.traffic import Traffic
from infra.local.endpoints.variant import Variant
from infra.local.jobs.job import present
from infra.local.validation import Json, ValidationException

EVENT = "SageMaker Endpoint State Change"
EVENT_STATUS = {
    "InService": "IN_SERVICE",
    "RollingBack": "ROLLING_BACK",
    "UpdateRollbackFailed": "UPDATE_ROLLBACK_FAILED",
}
"""Events write the status in capitals."""
AT_REST = frozenset({"InService", "Failed", "UpdateRollbackFailed"})
"""Statuses in which nothing is under way."""


@dataclass
class Pending:
    """The fleet that an update brings, until the update is over."""

    fleet: Fleet
    start_time: datetime
    variant_status: str = "Creating"

    def describe(self) -> Json:
        """The PendingDeploymentSummary."""
        status = {"Status": self.variant_status, "StartTime": self.start_time}
        variants = [_describe(variant, self.start_time) for variant in self.fleet.variants.values()]
        return {
            "EndpointConfigName": self.fleet.config["EndpointConfigName"],
            "ProductionVariants": [variant | {"VariantStatus": [status]} for variant in variants],
            "StartTime": self.start_time,
        }


@dataclass
class Endpoint:
    """One endpoint, as moto's tags and search see it too (`arn`, `tags`, `response_object`)."""

    name: str
    arn: str
    config_name: str
    creation_time: datetime
    deployment_config: Json | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    status: str = "Creating"
    failure_reason: str | None = None
    traffic: Traffic = field(default_factory=Traffic)
    pending: Pending | None = None
    last_modified_time: datetime = field(init=False)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.last_modified_time = self.creation_time

    @property
    def fleet(self) -> Fleet | None:
        """What serves; during an update, what did before it."""
        return self.traffic.fleet

    @property
    def response_object(self) -> Json:
        """What moto's Search shows."""
        return self.describe()

    def begin(self, status: str, now: datetime) -> None:
        """Enter a status in which something is under way.

        Raises:
            ValidationException: something else is.
        """
        with self._changing:
            if self.status not in AT_REST:
                raise ValidationException(f'Cannot update in-progress endpoint "{self.arn}".')
            self.status, self.failure_reason, self.last_modified_time = status, None, now

    def roll_back(self, now: datetime) -> None:
        """Enter the way back from an update."""
        with self._changing:
            self.status, self.last_modified_time = "RollingBack", now

    def end(self, status: str, now: datetime, failure_reason: str | None = None) -> None:
        """Enter a status in which nothing is."""
        with self._changing:
            self.pending = None
            self.status, self.failure_reason, self.last_modified_time = status, failure_reason, now

    def describe(self) -> Json:
        """The answer of DescribeEndpoint."""
        fleet, pending = self.fleet, self.pending
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config_name,
            "EndpointStatus": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            **present(
                ProductionVariants=_describe_all(fleet.variants.values(), self.creation_time) if fleet else None,
                ShadowProductionVariants=_describe_all((shadow.variant for shadow in fleet.shadows), self.creation_time)
                if fleet and fleet.shadows
                else None,
                DataCaptureConfig=_capture_summary(fleet.config.get("DataCaptureConfig")) if fleet else None,
                AsyncInferenceConfig=fleet.config.get("AsyncInferenceConfig") if fleet else None,
                LastDeploymentConfig=self.deployment_config,
                FailureReason=self.failure_reason,
                PendingDeploymentSummary=pending.describe() if pending else None,
            ),
        }

    def summary(self) -> Json:
        """Its row in ListEndpoints."""
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointStatus": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
        }


def _describe_all(variants: Iterable[Variant], now: datetime) -> list[Json]:
    return [_describe(variant, now) for variant in variants]


def _describe(variant: Variant, now: datetime) -> Json:
    return {
        "VariantName": variant.name,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now} for image in variant.images
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        **variant.capacity(),
    }


def _capture_summary(config: Json | None) -> Json | None:
    if not config:
        return None
    return {
        "EnableCapture": bool(config.get("EnableCapture")),
        "CaptureStatus": "Started" if config.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        **present(KmsKeyId=config.get("KmsKeyId")),
    }
