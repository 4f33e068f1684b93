"""What jobs have in common: a request, a state, and how a run of them ends."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from infra.local.engine import Container, Sandbox
from infra.local.validation import Json, UnsupportedOperation

REASON_CHARACTERS = 1024


class JobFailedError(Exception):
    """A job that comes to a bad end, in the words of its FailureReason."""


class Ending(Enum):
    """How a container ended."""

    EXITED = "exited"
    STOPPED = "stopped"
    MAX_RUNTIME = "max runtime"


@dataclass
class Job(ABC):
    """One job, as moto's tags and search see it too (`arn`, `tags`, `response_object`)."""

    kind: ClassVar[str]
    """TrainingJob, ProcessingJob or TransformJob: in AWS's names of operations, members and events."""
    resource: ClassVar[str]
    """training-job, processing-job or transform-job: in ARNs."""
    event: ClassVar[str]
    running: ClassVar[str]
    """Its secondary status while its containers run."""

    request: Json
    arn: str
    creation_time: datetime
    tags: list[dict[str, str]] = field(default_factory=list)
    status: str = "InProgress"
    failure_reason: str | None = None
    last_modified_time: datetime = field(init=False)
    start_time: datetime | None = None
    end_time: datetime | None = None
    stop_requested: threading.Event = field(default_factory=threading.Event)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.last_modified_time = self.creation_time

    @property
    def name(self) -> str:
        """The job's name, unique among its kind."""
        return str(self.request[f"{self.kind}Name"])

    @classmethod
    def role_of(cls, request: Json, sagemaker: Any) -> str:  # noqa: ANN401, ARG003 - most name it themselves
        """The ARN of its execution role."""
        return str(request["RoleArn"])

    @property
    def log_group(self) -> str:
        """Its log group in CloudWatch Logs."""
        return f"/aws/sagemaker/{self.kind}s"

    @property
    def response_object(self) -> Json:
        """What moto's Search shows."""
        return self.describe()

    @classmethod
    def check(cls, request: Json, sagemaker: Any) -> None:  # noqa: ANN401, ARG003 - most refer to nothing
        """Refuse a request that refers to what there is not.

        Raises:
            ValidationException: naming it.
        """
        return

    def enter(self, secondary: str, now: datetime) -> None:
        """Note that the job does `secondary` (Downloading, Training, …) from `now` on."""
        self.last_modified_time = now
        if secondary == self.running:
            self.start_time = now

    def end(self, status: str, now: datetime, failure_reason: str | None = None, secondary: str | None = None) -> None:
        """Note that the job has ended.

        Args:
            status: Completed, Failed or Stopped.
            now: when.
            failure_reason: why, unless it was completed.
            secondary: the last secondary status, if it is not `status`.
        """
        with self._ending:
            self.failure_reason = failure_reason[:REASON_CHARACTERS] if failure_reason else None
            self.end_time = now
            self.enter(secondary or status, now)
            self.status = status

    def request_stop(self) -> bool:
        """Have the job stop soon; False if it has ended already or is being stopped."""
        with self._ending:
            if self.status != "InProgress":
                return False
            self.status = "Stopping"
        self.stop_requested.set()
        return True

    def summary(self) -> Json:
        """Its row in a List operation."""
        return {
            f"{self.kind}Name": self.name,
            f"{self.kind}Arn": self.arn,
            f"{self.kind}Status": self.status,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            **present(**{f"{self.kind.removesuffix('Job')}EndTime": self.end_time}),
        }

    @abstractmethod
    def describe(self) -> Json:
        """The answer of its Describe operation."""


class ContainerJob(Job):
    """A job that is one container's run, from its start to its exit."""

    @property
    def max_runtime_seconds(self) -> float:
        """How long its container may run."""
        return float(self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400))

    @property
    @abstractmethod
    def is_isolated(self) -> bool:
        """Whether its containers have no network."""

    @property
    @abstractmethod
    def volume_key(self) -> str | None:
        """What its volumes are encrypted with."""

    @property
    @abstractmethod
    def output_key(self) -> str | None:
        """What its outputs are encrypted with, unless it is their bucket's own key."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of its containers, each on a host of its own."""
        return ("algo-1",)

    @abstractmethod
    def container(self) -> Container:
        """What is to be run."""

    @abstractmethod
    def download(self, s3: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - a boto3 client
        """Fill `sandbox` with configuration files and inputs."""

    @abstractmethod
    def upload(self, s3: Any, sandbox: Sandbox, ending: Ending, exit_code: int) -> None:  # noqa: ANN401
        """Bring outputs to S3."""

    @abstractmethod
    def message(self, sandbox: Sandbox) -> str:
        """What the container left to say."""

    def note_message(self, sandbox: Sandbox) -> None:
        """Keep what the container in `sandbox` left to say."""

    def read_log_line(self, line: str) -> None:
        """Look at one line of the container's output."""


def present(**members: Any) -> Json:  # noqa: ANN401 - members of an answer
    """The members that have a value: AWS leaves out the others."""
    return {name: value for name, value in members.items() if value is not None}


def refuse_several_instances(resources: Json) -> None:
    """Refuse what one machine cannot run.

    Raises:
        UnsupportedOperation: more than one instance is asked for.
    """
    if resources.get("InstanceCount", 1) != 1:
        raise UnsupportedOperation(f"jobs on several instances (InstanceCount {resources['InstanceCount']}); use 1")


def require(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Refuse a request unless `holds`.

    Raises:
        UnsupportedOperation: naming `what` is not supported.
    """
    if not holds:
        raise UnsupportedOperation(what)
