"""The endpoint: what is to be live, and, still declared beside it, what was live before."""

from infra.config import EndpointConfig, Release, ReleaseLock
from infra.constructs.alarm import Alarm
from infra.constructs.alarms import EndpointAlarms
from infra.constructs.deployment_config import deployment_config
from infra.constructs.hosting import Hosting, digest, execution_role
from infra.constructs.hostings import hosting
from infra.constructs.models import Models
from infra.constructs.platform import Platform
from infra.constructs.retention import retained
from infra.naming import ModelNames
from infra.provider import Construct, aws


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
        alarms: EndpointAlarms,
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._platform = names, platform
        self.name = names.base
        declared = [(release, hosting(settings_, names, platform)) for release, settings_ in lock.declared(settings)]
        now = declared[0][1]
        self._role = execution_role(
            self,
            names,
            platform,
            log_group=names.endpoint_logs,
            in_vpc=any(kind.vpc for _, kind in declared),
        )
        for _, kind in declared:
            kind.grant(self._role)
            if kind.volume_key is not None:
                platform.key.grant_volumes(self._role)
        self._models = Models(names, self._role)
        configurations = self._configurations(declared)
        watched, more = _rollback_alarms(now, alarms, configurations[0].name if lock.despite_alarms else None)
        self.endpoint = aws.SagemakerEndpoint(
            self,
            "endpoint",
            name=self.name,
            endpoint_config_name=configurations[0].name,
            deployment_config=deployment_config(now.rollout, [alarm.name for alarm in watched] + more)
            if now.rollout
            else None,
            tags=lock.current.tags,
            depends_on=[*configurations, self._logs(), *(alarm.alarm for alarm in watched), *now.declare(self)],
            **retained(protected=platform.protected),
        )

    def _logs(self) -> aws.CloudwatchLogGroup:
        """Made before the endpoint: SageMaker would make it itself, without the key and for ever."""
        return aws.CloudwatchLogGroup(
            self,
            "logs",
            name=self._names.endpoint_logs,
            retention_in_days=self._platform.log_days,
            kms_key_id=self._platform.key.arn,
        )

    def _configurations(self, declared: list[tuple[Release, Hosting]]) -> list[aws.SagemakerEndpointConfiguration]:
        """One for each release and settings, in order; several that are the same are one."""
        scopes = {id_: Construct(self, f"release-{id_}") for id_ in {one.id: 0 for one, _ in declared}}
        made: dict[str, aws.SagemakerEndpointConfiguration] = {}
        for release, kind in declared:
            scope = scopes[release.id]
            content = digest(kind.named_by(release))
            if content not in made:
                made[content] = aws.SagemakerEndpointConfiguration(
                    Construct(scope, f"configuration-{content[:10]}"),
                    "configuration",
                    name=self._names.release(content),
                    kms_key_arn=kind.volume_key,
                    tags=release.tags,
                    **kind.configuration(
                        self._models.of(scope, release, kind),
                        {version: self._models.of_version(self, version, kind) for version in kind.versions},
                    ),
                    lifecycle={"create_before_destroy": True},
                )
        return list(made.values())


def _rollback_alarms(kind: Hosting, alarms: EndpointAlarms, configuration: str | None) -> tuple[list[Alarm], list[str]]:
    """Our alarms that take an update back, and the names of others: those of this configuration alone if one is named.

    That none would be left is no way to go on: the provider replaces an endpoint that has none any more.
    """
    if kind.rollout is None:
        return [], []
    if configuration is not None:
        return alarms.of_new_instances(kind.rollout.roll_back_on or ("errors",), configuration), []
    return alarms.named(kind.rollout.roll_back_on), list(kind.rollout.more_alarms)
