"""One environment: an AWS account and region, and where Terraform's state and the release locks live."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from infra.config.base import (
    Account,
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
from infra.config.retention import RetentionConfig
from infra.naming import BucketKind, Names

LONGEST_BUCKET_NAME: Final = 63
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

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

    def broken_rules(self) -> Iterator[Broken]:
        """Every bucket's name must fit, and the role be one of the account."""
        if self.deploy_role is not None and self.deploy_role.split(":")[4] != self.account:
            message = f"is not a role of the account {self.account}: name one there"
            yield Broken((("deploy_role", message),))
        longest = max((self.names.bucket(kind) for kind in get_args(BucketKind)), key=len)
        if len(longest) > LONGEST_BUCKET_NAME:
            excess = len(longest) - LONGEST_BUCKET_NAME
            message = f"makes bucket names such as {longest}, {excess} characters too long: shorten it"
            yield Broken((("prefix", message), ("name", message)))
