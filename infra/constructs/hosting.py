"""What differs from one kind of endpoint to the next, as one object a kind; its subclasses are the kinds' files."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from infra.config import FleetSize, Release, RolloutConfig
from infra.config.instance import has_local_disk
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.dashboard import Picture
from infra.constructs.permissions import ServiceRole
from infra.constructs.platform import Platform
from infra.constructs.vpc_config import VpcConfig
from infra.images import SERVING
from infra.naming import ModelNames
from infra.provider import Construct, Resource
from serving.contract import CSV, JSON, JSON_LINES

Arguments = dict[str, Any]


class Hosting(ABC):
    """One kind of endpoint, with one model's settings: pure but for `declare` and `alarms`, which add resources."""

    isolated: ClassVar[bool] = True
    """Whether the containers run without a network, and their files move in the environment's; AWS has both or none."""

    def __init__(self, names: ModelNames, platform: Platform) -> None:
        self.names, self.platform = names, platform

    @property
    def scaling(self) -> FleetSize | None:
        """How the fleet is scaled; None if it is not."""
        return None

    @property
    def rollout(self) -> RolloutConfig | None:
        """How an update reaches callers; None where SageMaker has no guardrails.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
        """
        return None

    @property
    def versions(self) -> tuple[int, ...]:
        """Versions in the model package group that are served beside the release."""
        return ()

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The types of the instances that serve; none where AWS keeps them to itself."""
        return ()

    @property
    def volume_key(self) -> str | None:
        """What the instances' volumes are encrypted with; None where one has a disk of its own, or there are none."""
        types = self.instance_types
        return None if not types or any(map(has_local_disk, types)) else self.platform.key.arn

    @property
    def vpc(self) -> VpcConfig | None:
        """The network that the models' instances are in; None for SageMaker's own."""
        return self.platform.vpc if self.isolated else None

    def containers(self, release: Release) -> Arguments:
        """Which containers the release's model has, as `aws.SagemakerModel` takes them."""
        return {"primary_container": {"image": release.image, "model_data_url": release.model_data_url}}

    def model_named_by(self, release: Release) -> list[Any]:
        """All that the release's model is: nothing that only Terraform knows."""
        return [*self.identity(release), *([] if self.vpc is None else self.vpc.content)]

    def identity(self, release: Release) -> list[Any]:
        """What the release's model is beside the network that it is in."""
        return [release.image, release.model_data_url]

    @abstractmethod
    def content(self) -> list[Any]:
        """What the endpoint's configuration is beside its model, and so what it is named by."""

    def named_by(self, release: Release) -> list[Any]:
        """All that the release's endpoint configuration is."""
        volumes = [] if self.volume_key is None else ["encrypted volumes"]
        return [*self.model_named_by(release), *self.content(), *volumes]

    @abstractmethod
    def configuration(self, model: str, versions: Mapping[int, str]) -> Arguments:
        """Variants and all that goes with them, as `aws.SagemakerEndpointConfiguration` takes it.

        Args:
            model: the name of the release's model.
            versions: the names of the models of `self.versions`.
        """

    def grant(self, role: ServiceRole) -> None:
        """Let the endpoint's role do what this kind takes beside what every kind does."""
        del role

    def declare(self, scope: Construct) -> list[Resource]:
        """Add what this kind needs besides, and give it back: the endpoint waits for it."""
        del scope
        return []

    @abstractmethod
    def alarms(self, alarms: EndpointAlarms) -> None:
        """Add the alarms that make sense of this kind."""

    @abstractmethod
    def pictures(self) -> list[Picture]:
        """What the dashboard shows of this kind."""

    def capture(self, percent: int) -> Arguments:
        """The configuration's data capture; none at 0 percent."""
        if percent == 0:
            return {}
        return {
            "data_capture_config": {
                "enable_capture": True,
                "initial_sampling_percentage": percent,
                "destination_s3_uri": self.names.capture_uri,
                "kms_key_id": self.platform.key.arn,
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
                "capture_content_type_header": {"csv_content_types": [CSV], "json_content_types": [JSON, JSON_LINES]},
            }
        }


def execution_role(
    scope: Construct, names: ModelNames, platform: Platform, *, log_group: str, in_vpc: bool = True
) -> ServiceRole:
    """The role that serving containers run as: it reads the model, pulls the image, and what every container does."""
    role = ServiceRole(
        scope, "role", name=f"{names.base}-endpoint", service="sagemaker.amazonaws.com", names=names.environment
    )
    platform.grant_models(role, names.model)
    platform.repositories.grant_pull(role, SERVING)
    if platform.source is not None:
        platform.source.grant_pull(role, SERVING)
    platform.grant_running(role, log_group, in_vpc=in_vpc)
    return role


def digest(content: Sequence[Any]) -> str:
    """The hash that names immutable things by what they contain."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
