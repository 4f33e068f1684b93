"""One environment: an AWS account and region, and where Terraform's state and the release locks live."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from infra.config.base import (
    Account,
    Boundary,
    Broken,
    Bucket,
    Email,
    KeyPrefix,
    Name,
    Region,
    Repository,
    RoleArn,
    Section,
    TagText,
    Url,
)
from infra.config.network import NetworkConfig, NoNetwork
from infra.config.retention import RetentionConfig
from infra.naming import BucketKind, Names

LONGEST_BUCKET_NAME: Final = 63
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

MOST_LOCK_DAYS: Final = 36_500
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html"""
MADE_BY_BOOTSTRAP: Final = "bootstrap"
LaxPath = Annotated[Path, Field(strict=False)]
"""YAML has text only; strict pydantic would want a Path."""


class FileState(Section):
    """Terraform's state in a folder of this machine."""

    kind: Literal["file"]
    """Where the state lives: file or s3."""
    directory: LaxPath
    """Folder, relative to the project's."""


class S3State(Section):
    """Terraform's state in S3, with S3's own locking."""

    kind: Literal["s3"]
    """Where the state lives: file or s3."""
    bucket: Bucket
    """The bucket; `sagestack bootstrap` makes it, versioned, encrypted and private."""
    region: Region | None = None
    """The bucket's region; the environment's unless given."""
    key_prefix: KeyPrefix = "sagestack"
    """Folder of the state files in the bucket."""


class GitHub(Section):
    """The repository whose workflows plan and deploy this environment."""

    repository: Repository
    """Owner and name of the repository."""
    branch: Annotated[str, Field(min_length=1)] = "main"
    """The branch that is deployed, and that the nightly plan is made of."""


class EnvironmentConfig(Section):
    """One environment. Paths are relative to the project's folder, the one that holds `infra`."""

    name: Name
    """The environment's name; the file's name unless given, and always the same."""
    prefix: Annotated[Name, Field(max_length=20)]
    """What every physical name starts with: the organisation."""
    account: Account
    """AWS account, 12 digits, in quotes."""
    region: Region
    """AWS region."""
    deploy_role: RoleArn | None = None
    """Role that Terraform and the commands take on; your credentials as they are unless given."""
    permissions_boundary: Boundary | None = None
    """The most that any role of the stacks may do: an IAM policy, or `bootstrap` for the one that bootstrap makes."""
    github: GitHub | None = None
    """Whose workflows may plan and deploy here; `sagestack bootstrap` makes their roles."""
    endpoint_url: Url | None = None
    """Where AWS calls go instead of AWS."""
    state: Annotated[FileState | S3State, Field(discriminator="kind")]
    """Where Terraform's state lives."""
    releases: LaxPath = Field(default_factory=lambda data: Path("infra/releases", data["name"]))
    """Folder of the release locks; infra/releases/NAME unless given."""
    destroy_protection: bool = True
    """Whether what holds data refuses to be destroyed."""
    network: NetworkConfig = NoNetwork()
    """Where jobs and endpoints run."""
    other_buckets: Annotated[tuple[Bucket, ...], Field(strict=False)] = ()
    """Buckets beside the environment's own that containers read, where a model's file names an archive in one."""
    shares_registry_with: Annotated[tuple[Account, ...], Field(strict=False)] = ()
    """Other accounts that may read what is registered here, and serve it: those of environments that release it."""
    registry_from: Name | None = None
    """Environment whose models this one releases; its own unless given. Nothing is copied: they are read over there."""
    registry_lock_days: Annotated[int, Field(ge=1, le=MOST_LOCK_DAYS)] | None = None
    """Days that what is written to the registry cannot be deleted or replaced (S3 Object Lock); none unless given."""
    retention: RetentionConfig | None = RetentionConfig()
    """How long is kept what nobody asks for any more; null keeps everything for ever."""
    alarm_email: Email | None = None
    """Who is told of alarms."""
    tags: dict[TagText, TagText] = Field(default_factory=dict)
    """Tags on every resource that takes them."""

    @property
    def names(self) -> Names:
        """The physical names in this environment."""
        return Names(self.prefix, self.name, self.account, self.region)

    @property
    def boundary_arn(self) -> str | None:
        """The policy that bounds every role of the stacks; None if nothing does."""
        return self.names.boundary_arn if self.permissions_boundary == MADE_BY_BOOTSTRAP else self.permissions_boundary

    def broken_rules(self) -> Iterator[Broken]:
        """Every bucket's name must fit, the role be one of the account, and the boundary be made by somebody."""
        if self.permissions_boundary == MADE_BY_BOOTSTRAP and isinstance(self.state, FileState):
            why = "is bootstrap, which makes nothing for state of kind file: name a policy, or keep the state in s3"
            yield Broken((("permissions_boundary", why),))
        if self.deploy_role is not None and self.deploy_role.split(":")[4] != self.account:
            message = f"is not a role of the account {self.account}: name one there"
            yield Broken((("deploy_role", message),))
        yield from self._registry_problems()
        longest = max((self.names.bucket(kind) for kind in get_args(BucketKind)), key=len)
        if len(longest) > LONGEST_BUCKET_NAME:
            excess = len(longest) - LONGEST_BUCKET_NAME
            message = f"makes bucket names such as {longest}, {excess} characters too long: shorten it"
            yield Broken((("prefix", message), ("name", message)))

    def _registry_problems(self) -> Iterator[Broken]:
        """What others serve stays, and nobody releases from themselves."""
        if self.shares_registry_with and not self.destroy_protection:
            why = "is set, but destroy_protection is false: what others serve must not be torn down; set it to true"
            yield Broken((("shares_registry_with", why),))
        if self.account in self.shares_registry_with:
            yield Broken((("shares_registry_with", f"names {self.account}, its own account: remove it"),))
        if self.registry_from == self.name:
            yield Broken((("registry_from", "is the environment itself: remove it"),))
