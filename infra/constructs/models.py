"""SageMaker models: what containers a release is served by. Immutable, so named by what they contain."""

from infra.config import Release
from infra.constructs.hosting import Arguments, Hosting, digest
from infra.constructs.permissions import ServiceRole
from infra.naming import ModelNames
from infra.provider import Construct, aws


class Models:
    """The models that one role runs, each declared once, however many configurations name it."""

    def __init__(self, names: ModelNames, role: ServiceRole) -> None:
        self._names, self._role = names, role
        self._policy = role.attach()
        self._made: dict[str, aws.SagemakerModel] = {}

    def of(self, scope: Construct, release: Release, kind: Hosting) -> str:
        """The name of a release's model, as it is hosted; declared below the release's own scope."""
        content = digest(kind.model_named_by(release))
        own = kind.identity(release) == [release.image, release.model_data_url]
        if content not in self._made:
            below = scope if own else Construct(scope, f"model-{content[:10]}")
            self._made[content] = self._declare(below, content, kind.containers(release) | {"tags": release.tags}, kind)
        return self._made[content].name

    def of_version(self, scope: Construct, version: int, kind: Hosting) -> str:
        """The name of the model of a version in the model package group; AWS refuses one that is not approved."""
        arn = kind.platform.registry_names.model(self._names.model).package_arn(version)
        content = digest([arn, *([] if kind.vpc is None else kind.vpc.content)])
        if content not in self._made:
            container = {"primary_container": {"model_package_name": arn}}
            below = Construct(scope, f"version-{version}")
            self._made[content] = self._declare(below, content, container, kind)
        return self._made[content].name

    def _declare(self, scope: Construct, content: str, containers: Arguments, kind: Hosting) -> aws.SagemakerModel:
        return aws.SagemakerModel(
            scope,
            "model",
            name=self._names.release(content),
            execution_role_arn=self._role.arn,
            **containers,
            enable_network_isolation=kind.isolated,
            vpc_config=None if kind.vpc is None else kind.vpc.arguments,
            depends_on=[self._policy],
            lifecycle={"create_before_destroy": True},
        )
