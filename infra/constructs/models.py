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
        identity = kind.identity(release)
        content = digest(identity)
        own = identity == [release.image, release.model_data_url]
        if content not in self._made:
            below = scope if own else Construct(scope, f"model-{content[:10]}")
            self._made[content] = self._declare(below, content, kind.containers(release), isolated=kind.isolated)
        return self._made[content].name

    def of_version(self, scope: Construct, version: int, kind: Hosting) -> str:
        """The name of the model of a version in the model package group; AWS refuses one that is not approved."""
        arn = self._names.package_arn(version)
        content = digest([arn])
        if content not in self._made:
            container = {"primary_container": {"model_package_name": arn}}
            below = Construct(scope, f"version-{version}")
            self._made[content] = self._declare(below, content, container, isolated=kind.isolated)
        return self._made[content].name

    def _declare(self, scope: Construct, content: str, containers: Arguments, *, isolated: bool) -> aws.SagemakerModel:
        return aws.SagemakerModel(
            scope,
            "model",
            name=self._names.release(content),
            execution_role_arn=self._role.arn,
            **containers,
            enable_network_isolation=isolated,
            depends_on=[self._policy],
            lifecycle={"create_before_destroy": True},
        )
