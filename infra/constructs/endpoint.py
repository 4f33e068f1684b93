"""The real-time endpoint: what is to be live, and, still declared beside it, what was live before."""

import hashlib
import json
from typing import Any

from infra.config import EndpointConfig, Release, ReleaseLock
from infra.constructs.alarm import Alarm
from infra.constructs.deployment_config import deployment_config
from infra.constructs.permissions import ServiceRole
from infra.constructs.platform import Platform
from infra.constructs.retention import retained
from infra.images import SERVING
from infra.naming import VARIANT, ModelNames
from infra.provider import Construct, aws
from serving.contract import CSV, JSON, JSON_LINES


class Endpoint(Construct):
    """An endpoint that is updated blue/green from one content-named configuration to the next.

    Where the environment protects, it is never replaced: Terraform destroys it, and then cannot create it while the old
    one is still being deleted. Whether there are rollback alarms is such a change, and an `update-endpoint` by hand
    takes them away unless it says `--retain-deployment-config`.

    A SageMaker rollback is reported as a successful apply, and the configuration it went back to must then still exist
    (AWS provider issues 48997, 46663, 39099): so whatever may be live when a deploy begins stays declared as it was
    deployed, by the settings in the release lock.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: EndpointConfig,
        names: ModelNames,
        platform: Platform,
        lock: ReleaseLock,
        rollback_alarms: list[Alarm],
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._platform = names, platform
        self.name = names.base
        self._role = self._execution_role()
        self._policy = self._role.attach()
        configurations = self._configurations(lock.declared(settings))
        self.endpoint = aws.SagemakerEndpoint(
            self,
            "endpoint",
            name=self.name,
            endpoint_config_name=configurations[0].name,
            deployment_config=deployment_config(
                settings.rollout, [*(alarm.name for alarm in rollback_alarms), *settings.rollout.more_alarms]
            ),
            depends_on=[*configurations, *(alarm.alarm for alarm in rollback_alarms)],
            **retained(protected=platform.protected),
        )

    def _execution_role(self) -> ServiceRole:
        names, platform = self._names, self._platform
        role = ServiceRole(
            self, "role", name=f"{names.base}-endpoint", service="sagemaker.amazonaws.com", names=names.environment
        )
        platform.registry.grant_read(role, f"{names.model}/")
        platform.capture.grant_write(role, f"{names.model}/")
        platform.key.grant_use(role)
        platform.repositories.grant_pull(role, SERVING)
        platform.grant_logging(role)
        return role

    def _configurations(
        self, declared: tuple[tuple[Release, EndpointConfig], ...]
    ) -> list[aws.SagemakerEndpointConfiguration]:
        """One for each release and settings, in order; several that are the same are one."""
        releases = {release.version: release for release, _ in declared}
        scopes = {version: Construct(self, f"release-{version}") for version in releases}
        models = {version: self._model(scopes[version], release) for version, release in releases.items()}
        made: dict[str, aws.SagemakerEndpointConfiguration] = {}
        for release, settings in declared:
            content = [release.image, release.model_data_url, settings.instance_type]
            digest = _digest([*content, settings.scaling.initial_count, settings.capture.percent])
            if digest not in made:
                scope = Construct(scopes[release.version], f"configuration-{digest[:10]}")
                made[digest] = self._configuration(
                    scope, settings, models[release.version], self._names.release(digest)
                )
        return list(made.values())

    def _configuration(
        self, scope: Construct, settings: EndpointConfig, model: aws.SagemakerModel, name: str
    ) -> aws.SagemakerEndpointConfiguration:
        capture = settings.capture.percent
        return aws.SagemakerEndpointConfiguration(
            scope,
            "configuration",
            name=name,
            production_variants=[
                {
                    "variant_name": VARIANT,
                    "model_name": model.name,
                    "instance_type": settings.instance_type,
                    "initial_instance_count": settings.scaling.initial_count,
                    "initial_variant_weight": 1,
                }
            ],
            data_capture_config={
                "enable_capture": True,
                "initial_sampling_percentage": capture,
                "destination_s3_uri": self._names.capture_uri,
                "kms_key_id": self._platform.key.arn,
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
                "capture_content_type_header": {"csv_content_types": [CSV], "json_content_types": [JSON, JSON_LINES]},
            }
            if capture > 0
            else None,
            lifecycle={"create_before_destroy": True},
        )

    def _model(self, scope: Construct, release: Release) -> aws.SagemakerModel:
        return aws.SagemakerModel(
            scope,
            "model",
            name=self._names.release(_digest([release.image, release.model_data_url])),
            execution_role_arn=self._role.arn,
            primary_container={"image": release.image, "model_data_url": release.model_data_url},
            enable_network_isolation=True,
            depends_on=[self._policy],
            lifecycle={"create_before_destroy": True},
        )


def _digest(content: list[Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
