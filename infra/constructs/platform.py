"""What the models of one environment share, as one object that their constructs take."""

from collections.abc import Sequence
from typing import Literal

from infra.config import EnvironmentConfig, RetentionConfig
from infra.constructs.alarm_log import AlarmLog
from infra.constructs.alerts import Alerts
from infra.constructs.bucket import Bucket
from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.network import network
from infra.constructs.overview import Overview
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.registry_source import RegistrySource
from infra.constructs.repositories import Repositories
from infra.constructs.undecided import Undecided
from infra.naming import BucketKind, Names
from infra.provider import Construct


class Platform(Construct):
    """Key, buckets, repositories, topic and queue, kept when the environment says so; and its network."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: EnvironmentConfig, source: EnvironmentConfig | None
    ) -> None:
        super().__init__(scope, id_)
        self.readers = environment.shares_registry_with
        self.source = None if source is None else RegistrySource(source.names)
        names, protected = environment.names, environment.destroy_protection
        self.names = names
        self.protected = protected
        self._retention = environment.retention
        self.key = EncryptionKey(self, "key", names=names, protected=protected, readers=self.readers)
        self.logs = Bucket(
            self,
            "logs",
            name=names.bucket("logs"),
            receives_logs_of=names,
            protected=protected,
            superseded_days=self._days("superseded_days"),
            expire_days=self._days("access_log_days"),
        )
        self.data = self._bucket("data", events=True)
        self.registry = self._bucket("registry", lock_days=environment.registry_lock_days, readers=self.readers)
        self.capture = self._bucket("capture", expire_days=self._days("captured_days"))
        self.repositories = Repositories(
            self, "repositories", names=names, key=self.key, protected=protected, readers=self.readers
        )
        self.vpc = network(
            self,
            "network",
            environment=environment,
            key=self.key,
            log_days=self.log_days,
            read_buckets=[*environment.other_buckets, *([] if self.source is None else [self.source.bucket])],
        )
        self.alerts = Alerts(self, "alerts", names=names, key=self.key, email=environment.alarm_email)
        self.undecided = Undecided(self, "undecided", names=names, key=self.key)
        said = AlarmLog(self, "alarm-log", names=names, key=self.key, log_days=self.log_days)
        Overview(self, "overview", names=names, alarms=said)

    @property
    def log_days(self) -> int:
        """How long logs are kept."""
        return (self._retention or RetentionConfig()).log_days

    def _bucket(
        self,
        kind: BucketKind,
        *,
        events: bool = False,
        expire_days: int | None = None,
        lock_days: int | None = None,
        readers: Sequence[str] = (),
    ) -> Bucket:
        return Bucket(
            self,
            kind,
            name=self.names.bucket(kind),
            key=self.key,
            access_logs=self.logs,
            protected=self.protected,
            superseded_days=self._days("superseded_days"),
            expire_days=expire_days,
            events=events,
            lock_days=lock_days,
            readers=readers,
        )

    def _days(self, of: Literal["superseded_days", "captured_days", "access_log_days"]) -> int | None:
        """How long the environment keeps something; None for ever."""
        return None if self._retention is None else int(getattr(self._retention, of))

    @property
    def registry_names(self) -> Names:
        """The names of the environment whose versions are released here."""
        return self.names if self.source is None else self.source.names

    def grant_models(self, role: ServiceRole, model: str) -> None:
        """Read one model's artifacts, baselines and evaluations, here and where they are released from."""
        self.registry.grant_read(role, f"{model}/")
        if self.source is not None:
            self.source.grant_read(role, model)

    def grant_running(self, role: ServiceRole, *log_groups: str, in_vpc: bool = True) -> None:
        """What any container takes: the key, the network if there is one, its log groups, and its metrics."""
        self.key.grant_use(role)
        if in_vpc and self.vpc is not None:
            self.vpc.grant_interfaces(role)
        groups = [f"arn:aws:logs:{self.names.region}:{self.names.account}:log-group:{name}" for name in log_groups]
        role.grant(
            allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [arn for group in groups for arn in (group, f"{group}:*")],
            ),
            allow(
                ["cloudwatch:PutMetricData"],
                ["*"],
                StringLike={"cloudwatch:namespace": ["/aws/sagemaker/*", "sagestack/*"]},
            ),
        )
