"""What every section of the configuration is made of: the base class, rules across fields, named constrained types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, model_validator


@dataclass(frozen=True)
class Broken:
    """A rule across fields that does not hold, told from each field it could be mended in.

    Attributes:
        places: (key path, message) pairs, the likeliest culprit first; the path is relative to the section with the
            rule. Which one the user is shown depends on what stands in the file, and what in the overlay.
    """

    places: tuple[tuple[str, str], ...]


class RulesBroken(ValueError):  # noqa: N818 - pydantic turns it into its own error; users never see this name
    """Carries broken rules through pydantic, which collects it beside its own errors."""

    def __init__(self, *broken: Broken, field: str | None = None) -> None:
        super().__init__("; ".join(" ".join(rule.places[0]) for rule in broken))
        self.broken = broken
        self.field = field
        """The field whose validator raised it, if it was not a whole section's."""


class Section(BaseModel):
    """A frozen part of a file: an unknown key is an error, text is never a number, zero is a value."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        defer_build=True,
    )

    loader_keys: ClassVar[frozenset[str]] = frozenset()
    """Keys of the file that are not fields: whoever loads it takes them out first."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Keys of related sections that have no place in this one, with the reason."""

    def broken_rules(self) -> Iterator[Broken]:
        """Rules across this section's fields that do not hold."""
        yield from ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        if broken := tuple(self.broken_rules()):
            raise RulesBroken(*broken)
        return self


def kind_or(default: str) -> Discriminator:
    """What picks a section of a union by its `kind`, or the default one where none is named."""

    def kind(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
        named = value.get("kind", default) if isinstance(value, dict) else getattr(value, "kind", default)
        return str(named)

    return Discriminator(kind)


KEBAB: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
TAG_TEXT: Final = r"^[\w .:/=+@-]+$"
ACCOUNT: Final = r"^[0-9]{12}$"
REGION: Final = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
INSTANCE_TYPE: Final = r"^ml\.[a-z0-9-]+\.[a-z0-9]+$"
BUCKET: Final = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
KEY_PREFIX: Final = r"^[\w.-]+(/[\w.-]+)*$"
ROLE_ARN: Final = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$"
BOUNDARY: Final = r"^(bootstrap|arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+)$"
REPOSITORY: Final = r"^[\w.-]+/[\w.-]+$"
URL: Final = r"^https?://[^\s/]+(/\S*)?$"
EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
DIGEST: Final = r"^sha256:[0-9a-f]{64}$"
ECR_IMAGE: Final = (
    r"^(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<name>[a-z0-9][a-z0-9._/-]*)(:[\w.-]+|@sha256:[0-9a-f]{64})$"
)
MODEL_ARCHIVE: Final = r"^s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[^*?]+\.tar\.gz)$"
TIMETABLE: Final = r"^(hourly|daily|weekly|monthly|cron\(\S+ \S+ \S+ \S+ \S+ \S+\))$"
SCALING_SCHEDULE: Final = (
    r"^(cron\(\S+( \S+){5}\)|rate\([1-9][0-9]* (minute|hour|day)s?\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\))$"
)
CIDR: Final = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$"
SUBNET: Final = r"^subnet-[0-9a-f]{8,17}$"
SECURITY_GROUP: Final = r"^sg-[0-9a-f]{8,17}$"
TIME_ZONE: Final = r"^[A-Za-z_+-]+(/[A-Za-z0-9_+-]+)*$"

PATTERN_RULES: Final = {
    KEBAB: "must be lower-case words joined by hyphens, such as flight-delay, and start with a letter",
    TAG_TEXT: "must be letters, digits, spaces and _ . : / = + - @ only, since it becomes an AWS tag",
    ACCOUNT: 'must be the 12 digits of an AWS account, such as "123456789012"',
    REGION: "must be an AWS region, such as us-east-1",
    INSTANCE_TYPE: "must be a SageMaker instance type, such as ml.m5.large",
    BUCKET: "must be the name of an S3 bucket",
    KEY_PREFIX: "must be folder names joined by /, without one at either end",
    ROLE_ARN: "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/deploy-acme-prod",
    BOUNDARY: "must be bootstrap, or the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/bounds",
    REPOSITORY: "must be a repository on GitHub, such as acme/models",
    URL: "must be a URL, such as http://127.0.0.1:4577",
    EMAIL: "must be an e-mail address",
    DIGEST: "must be sha256: and 64 hexadecimal digits",
    ECR_IMAGE: "must be an image in ECR with a tag or digest: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG",
    MODEL_ARCHIVE: "must be the S3 URI of a model archive, such as s3://bucket/folder/model.tar.gz",
    TIMETABLE: "must be hourly, daily, weekly, monthly, or a cron expression of six fields, such as cron(0 2 * * ? *)",
    SCALING_SCHEDULE: "must be cron() of six fields, rate() or at(), such as cron(0 7 ? * MON-FRI *)",
    CIDR: "must be a block of IPv4 addresses, such as 10.0.0.0/16",
    SUBNET: "must be the id of a subnet, such as subnet-0123456789abcdef0",
    SECURITY_GROUP: "must be the id of a security group, such as sg-0123456789abcdef0",
    TIME_ZONE: "must be a time zone, such as Europe/Berlin",
}
"""What each pattern asks for, in words."""

Name = Annotated[str, Field(pattern=KEBAB, max_length=40)]
TagText = Annotated[str, Field(pattern=TAG_TEXT, max_length=128)]
Account = Annotated[str, Field(pattern=ACCOUNT)]
Region = Annotated[str, Field(pattern=REGION)]
InstanceType = Annotated[str, Field(pattern=INSTANCE_TYPE)]
Bucket = Annotated[str, Field(pattern=BUCKET)]
KeyPrefix = Annotated[str, Field(pattern=KEY_PREFIX, max_length=200)]
RoleArn = Annotated[str, Field(pattern=ROLE_ARN)]
Boundary = Annotated[str, Field(pattern=BOUNDARY)]
Repository = Annotated[str, Field(pattern=REPOSITORY)]
Url = Annotated[str, Field(pattern=URL)]
Email = Annotated[str, Field(pattern=EMAIL)]
EcrImage = Annotated[str, Field(pattern=ECR_IMAGE)]
ModelArchive = Annotated[str, Field(pattern=MODEL_ARCHIVE)]
Schedule = Literal["hourly", "daily", "weekly", "monthly"]
Timetable = Annotated[str, Field(pattern=TIMETABLE)]
ScalingSchedule = Annotated[str, Field(pattern=SCALING_SCHEDULE)]
Cidr = Annotated[str, Field(pattern=CIDR)]
SubnetId = Annotated[str, Field(pattern=SUBNET)]
SecurityGroupId = Annotated[str, Field(pattern=SECURITY_GROUP)]
LogDays = Literal[30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
"""Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
TimeZone = Annotated[str, Field(pattern=TIME_ZONE)]
Column = Annotated[str, Field(min_length=1, max_length=128)]
Columns = Annotated[tuple[Column, ...], Field(strict=False)]
"""YAML has lists only; strict pydantic would want a tuple."""
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
