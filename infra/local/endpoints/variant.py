"""A production variant: as many instances as its configuration says, up to a limit, serving one model."""

import itertools
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.local.cloud import LocalCloud
from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.instance import Instance, LogPlace
from infra.local.endpoints.multi_model import Archives
from infra.local.endpoints.serving_process import NotAnsweredError, UnhealthyError
from infra.local.endpoints.utilization import Running, Utilization
from infra.local.engine import Engine
from infra.local.execution_role import ExecutionRole
from infra.local.model_containers import ServedModel, of_model, unpack
from infra.local.validation import Json
from serving.contract import MAX_BODY_BYTES, MODEL_DIRECTORY

MAX_PROCESSES_PER_VARIANT = max(2, os.cpu_count() or 1)
"""However many instances a variant has: they share one machine. Descriptions tell the number of instances."""
HEALTH_CHECK_SECONDS = 60.0
"""Until a container must have answered its health check; 4 to 8 minutes on AWS."""
MODELS_DIRECTORY = "models"
"""The archives of a multi-model variant."""
DEATH_SECONDS = 0.5
"""How long a process that did not answer is watched for its end, before it is held to be alive."""


class RetiredError(Exception):
    """This fleet takes no more requests: its endpoint has a newer one."""


class ThrottledError(Exception):
    """As many requests are being answered as may be."""


class NoCapacityError(Exception):
    """The variant has been scaled to no instance."""


@dataclass(frozen=True)
class Host:
    """What every fleet is started with."""

    cloud: LocalCloud
    engine: Engine
    health_check_seconds: float = HEALTH_CHECK_SECONDS
    max_processes: int = MAX_PROCESSES_PER_VARIANT


class Variant:
    """A production variant: as many processes as it has instances, up to a limit, serving one model."""

    max_body_bytes = MAX_BODY_BYTES
    """Of a request that waits for its answer."""
    has_instances = True
    """Whether there is a number of them to be changed."""

    def __init__(self, host: Host, endpoint: str, folder: Path, production_variant: Json) -> None:
        self.name: str = production_variant["VariantName"]
        self.weight: float = production_variant.get("InitialVariantWeight", 1.0)
        self.instances: int = production_variant["InitialInstanceCount"]
        self.images: list[str] = []
        self._health_check_seconds: float = production_variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", host.health_check_seconds
        )
        self._host = host
        self._endpoint = endpoint
        self._folder = folder
        self._model_name: str = production_variant["ModelName"]
        self._model: ServedModel | None = None
        self._role: ExecutionRole | None = None
        self._archives: Archives | None = None
        self._running: list[Instance] = []
        self._turn = itertools.count()
        self._changing = threading.Lock()
        self._retired = False
        self._utilization = Utilization(host.cloud, (endpoint, self.name), folder, self._processes)

    @property
    def running(self) -> int:
        """How many instances can be asked."""
        return len(self._running)

    def capacity(self) -> Json:
        """What a description tells of its capacity."""
        return {"CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.instances}

    @property
    def role(self) -> ExecutionRole:
        """Of its model; once it has been started."""
        assert self._role is not None  # noqa: S101 - `start` comes first
        return self._role

    def start(self, volume_key: str | None = None) -> None:
        """Unpack the model and start the processes, on volumes with this key; returns when all are healthy.

        Raises:
            ValidationException: the model's role does not trust SageMaker.
            AccessDeniedError: it may not do what starting takes.
            ClientError: there is no such model.
            UnsupportedOperation: it cannot be served here.
            ModelError: its artifact cannot be had.
            ImageNotFoundError: the image cannot be run here.
            UnhealthyError: a process never became healthy.
        """
        cloud = self._host.cloud
        self._model = of_model(cloud.client("sagemaker"), self._model_name)
        arn = f"arn:aws:sagemaker:{cloud.region}:{cloud.account}:endpoint/{self._endpoint}"
        self._role = ExecutionRole.assumed(cloud, self._model.role_arn, arn)
        self.images = list(self._model.images)
        self._role.start_containers(self._model.images, volume_key)
        for each in self._model.containers:
            if each.is_multi_model:
                self._archives = Archives(self._role.client("s3"), each, self._folder / MODELS_DIRECTORY)
            else:
                unpack(self._role.client("s3"), each, self._folder / each.name / MODEL_DIRECTORY)
        self.scale(self.instances)

    def scale(self, instances: int) -> None:
        """Start or stop processes until there are `instances`, or the most that there may be.

        Raises:
            UnhealthyError: a process never became healthy.
        """
        with self._changing:
            wanted = min(instances, self._host.max_processes)
            while len(self._running) < wanted:
                self._running = [*self._running, self._started()]
            leaving, self._running = self._running[wanted:], self._running[:wanted]
            self.instances = instances
        _retire_all(leaving)
        self._notice()

    def answer(self, request: Request) -> Answer:
        """Have one of the instances answer; one found dead is replaced, and its request asked once more.

        Raises:
            RetiredError: there is a newer fleet to ask.
            NoCapacityError: there is no instance.
            MisdirectedError: the request is for a container or model that there is not.
            NotAnsweredError: the container went down twice under this request.
            TimeoutError: it took too long.
        """
        instance = self._next()
        self._notice()
        try:
            return _ask(instance, request)
        except NotAnsweredError:
            self._replace(instance)
            return _ask(self._next(), request)

    def retire(self) -> None:
        """Finish the requests under way and stop."""
        with self._changing:
            self._retired = True
            leaving, self._running = self._running, []
        self._utilization.end()
        _retire_all(leaving)

    def _notice(self) -> None:
        """Something has happened: have it measured."""
        if self.has_instances:
            self._utilization.awake()

    def _processes(self) -> Running:
        running = self._running
        return Running(self.instances, tuple(pid for instance in running for pid in instance.pids))

    def _next(self) -> Instance:
        running = self._running
        if not running:
            raise RetiredError if self._retired else NoCapacityError
        return running[next(self._turn) % len(running)]

    def _replace(self, instance: Instance) -> None:
        with self._changing:
            if self._retired:
                raise RetiredError
            if instance not in self._running or not instance.has_ended(DEATH_SECONDS):
                return
            try:
                successor = self._started()
            except UnhealthyError as error:
                raise NotAnsweredError(str(error)) from error
            self._running = [successor if other is instance else other for other in self._running]
            instance.retire()

    def _started(self) -> Instance:
        assert self._model is not None  # noqa: S101 - `start` comes first
        logs = LogPlace(
            self.role,
            group=f"/aws/sagemaker/Endpoints/{self._endpoint}",
            prefix=f"{self.name}/i-{uuid.uuid4().hex[:17]}",
        )
        instance = Instance(self._host.engine, self._model, self._folder, logs, archives=self._archives)
        try:
            instance.wait_until_healthy(self._health_check_seconds)
        except UnhealthyError:
            instance.retire()
            raise
        return instance


def _ask(instance: Instance, request: Request) -> Answer:
    with instance.in_use() as admitted:
        if not admitted:
            raise RetiredError
        return instance.ask(request)


def _retire_all(instances: list[Instance]) -> None:
    with ThreadPoolExecutor(max(len(instances), 1)) as pool:
        list(pool.map(Instance.retire, instances))
