"""The release lock: what is live in an environment, and what was before. Written by `promote` and `rollback`."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from infra.config.base import Broken, Name, Section
from infra.config.endpoint_kinds import EndpointConfig

RELEASE_LOCK_SCHEMA_VERSION: Final = 1


class Release(Section):
    """A model package that was promoted: what to deploy, and where it came from."""

    version: Annotated[int, Field(ge=1)]
    """Version in the model package group."""
    registry: Name | None = None
    """Environment whose registry it is read from; its own unless given."""
    model_package_arn: str
    """The registered model package."""
    model_data_url: str
    """S3 URI of model.tar.gz."""
    image: str
    """URI of the serving image."""
    baseline_uri: str
    """S3 folder of the baseline."""
    evaluation_uri: str
    """S3 URI of evaluation.json."""
    metrics: dict[str, float]
    """Metrics on the test days, by name."""
    trained_on: str
    """Partitions it was trained on, with a space between them."""
    data_fingerprint: str
    """Digest of those partitions."""
    started_by: str
    """What started the training: new-data, drift, schedule or person."""
    approved_by: str
    """Who approved the model package."""
    promoted_by: str
    """Who promoted it to this environment."""
    promoted_at: Annotated[AwareDatetime, Field(strict=False)]
    """When, in UTC."""
    commit: str
    """Commit of the project it was promoted from."""
    endpoint: EndpointConfig | None = None
    """The model file's endpoint section as it was then; null in locks from before it was kept."""

    @property
    def id(self) -> str:
        """Its version, with the environment that it is read from unless that is its own."""
        return str(self.version) if self.registry is None else f"{self.registry}-{self.version}"

    @property
    def tags(self) -> dict[str, str]:
        """What a release makes in AWS is tagged with, beside what everything is.

        The commit of the promotion, not the one that is deployed: that would be a change of every resource in every
        commit, and a plan without changes could not be told from one with.
        """
        return {"version": self.id, "commit": self.commit}


class ReleaseLock(Section):
    """What is live of one model in one environment, and what was before."""

    schema_version: int = RELEASE_LOCK_SCHEMA_VERSION
    """Version of this format."""
    model: Name
    """The model's name."""
    current: Release
    """What is live after the next deploy."""
    previous: Release | None = None
    """What was live before; it stays declared until the current one has proven itself."""
    rolled_back: bool = False
    """Whether current was gone back to: then its own endpoint settings hold, not the file's, until a promotion."""
    despite_alarms: bool = False
    """Whether current is deployed though rollback alarms are raised: then those of its own instances take it back."""

    def broken_rules(self) -> Iterator[Broken]:
        """A newer format is refused, not guessed at."""
        if self.schema_version != RELEASE_LOCK_SCHEMA_VERSION:
            why = f"is {self.schema_version} but this sagestack reads {RELEASE_LOCK_SCHEMA_VERSION}"
            yield Broken((("schema_version", f"{why}: install the one that wrote it"),))

    def settings(self, file: EndpointConfig) -> EndpointConfig:
        """The endpoint settings in force.

        Args:
            file: the endpoint section of the model's file, as it is now.
        """
        return self.current.endpoint or file if self.rolled_back else file

    def declared(self, file: EndpointConfig) -> tuple[tuple[Release, EndpointConfig], ...]:
        """Every release with settings whose endpoint configuration must exist: what is to be live first.

        After it come the current release with the settings it was promoted with, which are live while a change of
        settings is being deployed, and the previous release. One may stand for several.
        """
        now = self.settings(file)
        kept = [release for release in (self.current, self.previous) if release is not None]
        return ((self.current, now), *((release, release.endpoint or now) for release in kept))
