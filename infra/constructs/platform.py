"""What the models of one environment share, as one object that their constructs take."""

from typing import Literal

from infra.config import EnvironmentConfig
from infra.constructs.alarm_log import AlarmLog
from infra.constructs.alerts import Alerts
from infra.constructs.bucket import Bucket
from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.overview import Overview
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.repositories import Repositories
from infra.constructs.undecided import Undecided
from infra.naming import BucketKind
from infra.provider import Construct


class Platform(Construct):
    """Key, buckets, repositories, topic and queue: the stateful things, kept when the environment says so."""

    def __init__(self, scope: Construct, id_: str, *, environment: EnvironmentConfig) -> None:
        super().__init__(scope, id_)
        names, protected = environment.names, environment.destroy_protection
        self.names = names
        self.protected = protected
        self._retention = environment.retention
        self.key = EncryptionKey(self, "key", names=names, protected=protected)
        self.logs = Bucket(
            self,
            "logs",
            name=names.bucket("logs"),
            receives_logs_of=names.account,
            protected=protected,
            superseded_days=self._days("superseded_days"),
            expire_days=self._days("access_log_days"),
        )
        self.data = self._bucket("data", events=True)
        self.registry = self._bucket("registry")
        self.capture = self._bucket("capture", expire_days=self._days("captured_days"))
        self.repositories = Repositories(self, "repositories", names=names, key=self.key, protected=protected)
        self.alerts = Alerts(self, "alerts", names=names, key=self.key, email=environment.alarm_email)
        self.undecided = Undecided(self, "undecided", names=names, key=self.key)
        said = AlarmLog(self, "alarm-log", names=names, key=self.key)
        Overview(self, "overview", names=names, alarms=said)

    def _bucket(self, kind: BucketKind, *, events: bool = False, expire_days: int | None = None) -> Bucket:
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
        )

    def _days(self, of: Literal["superseded_days", "captured_days", "access_log_days"]) -> int | None:
        """How long the environment keeps something; None for ever."""
        return None if self._retention is None else int(getattr(self._retention, of))

    def grant_logging(self, role: ServiceRole) -> None:
        """Write SageMaker's log streams and publish its metrics."""
        groups = f"arn:aws:logs:{self.names.region}:{self.names.account}:log-group:/aws/sagemaker/*"
        role.grant(
            allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [groups],
            ),
            allow(
                ["cloudwatch:PutMetricData"],
                ["*"],
                StringLike={"cloudwatch:namespace": ["/aws/sagemaker/*", "sagestack/*"]},
            ),
        )
