"""The serving processes behind one endpoint configuration, and which of them gets the next request."""

import itertools
import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from infra.local.capture import Capture
from infra.local.cloud import LocalCloud
from infra.local.container_logs import ContainerLogs
from infra.local.engine import Engine, ImageNotFoundError, Sandbox
from infra.local.model_containers import ModelContainer, ModelError, of_model, unpack
from infra.local.serving_process import Answer, NotAnsweredError, ServingProcess, UnhealthyError
from infra.local.validation import Json, UnsupportedOperation
from serving.contract import MODEL_DIRECTORY

MAX_PROCESSES_PER_VARIANT = max(2, os.cpu_count() or 1)
"""However many instances a variant has: they share one machine. Descriptions tell the number of instances."""
HEALTH_CHECK_SECONDS = 60.0
"""Until a container must have answered its health check; 4 to 8 minutes on AWS."""

DEATH_SECONDS = 0.5
"""How long a process that did not answer is watched for its end, before it is held to be alive."""


class FleetError(Exception):
    """A fleet that cannot serve, in the words of an endpoint's FailureReason."""


class RetiredError(Exception):
    """This fleet takes no more requests: its endpoint has a newer one."""


@dataclass(frozen=True)
class Host:
    """What every fleet is started with."""

    cloud: LocalCloud
    engine: Engine
    health_check_seconds: float = HEALTH_CHECK_SECONDS
    max_processes: int = MAX_PROCESSES_PER_VARIANT


class Variant:
    """A production variant: as many processes as it has instances, up to a limit, serving one model."""

    def __init__(self, host: Host, endpoint: str, folder: Path, production_variant: Json) -> None:
        self.name: str = production_variant["VariantName"]
        self.weight: float = production_variant.get("InitialVariantWeight", 1.0)
        self.instances: int = production_variant["InitialInstanceCount"]
        self.image = ""
        self._health_check_seconds: float = production_variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", host.health_check_seconds
        )
        self._host = host
        self._endpoint = endpoint
        self._folder = folder
        self._model_name: str = production_variant["ModelName"]
        self._model: ModelContainer | None = None
        self._processes: list[ServingProcess] = []
        self._turn = itertools.count()
        self._changing = threading.Lock()
        self._retired = False

    def start(self) -> None:
        """Unpack the model and start the processes; returns when all are healthy.

        Raises:
            ClientError: there is no such model.
            UnsupportedOperation: it cannot be served here.
            ModelError: its artifact cannot be had.
            ImageNotFoundError: the image cannot be run here.
            UnhealthyError: a process never became healthy.
        """
        cloud = self._host.cloud
        self._model = of_model(cloud.client("sagemaker"), self._model_name)
        self.image = self._model.container.image
        unpack(cloud.client("s3"), self._model.model_data_url, self._folder / MODEL_DIRECTORY)
        self.scale(self.instances)

    def scale(self, instances: int) -> None:
        """Start or stop processes until there are `instances`, or the most that there may be."""
        with self._changing:
            wanted = min(instances, self._host.max_processes)
            while len(self._processes) < wanted:
                self._processes.append(self._started())
            leaving, self._processes = self._processes[wanted:], self._processes[:wanted]
            self.instances = instances
        _retire_all(leaving)

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Have one of the processes answer; one found dead is replaced, and its request asked once more.

        Raises:
            RetiredError: there is a newer fleet to ask.
            NotAnsweredError: the container went down twice under this request.
            TimeoutError: it took too long.
        """
        process = self._next()
        try:
            return _ask(process, body, headers)
        except NotAnsweredError:
            self._replace(process)
            return _ask(self._next(), body, headers)

    def retire(self) -> None:
        """Finish the requests under way and stop."""
        with self._changing:
            self._retired = True
            leaving, self._processes = self._processes, []
        _retire_all(leaving)

    def _next(self) -> ServingProcess:
        processes = self._processes
        if not processes:
            raise RetiredError
        return processes[next(self._turn) % len(processes)]

    def _replace(self, process: ServingProcess) -> None:
        with self._changing:
            if self._retired:
                raise RetiredError
            if process not in self._processes or not process.has_ended(DEATH_SECONDS):
                return
            try:
                successor = self._started()
            except UnhealthyError as error:
                raise NotAnsweredError(str(error)) from error
            self._processes = [successor if other is process else other for other in self._processes]
            process.retire()

    def _started(self) -> ServingProcess:
        assert self._model is not None  # noqa: S101 - `start` comes first
        instance = f"i-{uuid.uuid4().hex[:17]}"
        sandbox = Sandbox(self._folder / instance)
        sandbox.ml.mkdir(parents=True)
        (sandbox.ml / MODEL_DIRECTORY).symlink_to(self._folder / MODEL_DIRECTORY)
        logs = ContainerLogs(
            self._host.cloud,
            sandbox.log,
            group=f"/aws/sagemaker/Endpoints/{self._endpoint}",
            stream=f"{self.name}/{instance}",
        )
        process = ServingProcess(self._host.engine, self._model.container, sandbox, logs)
        try:
            process.wait_until_healthy(self._health_check_seconds)
        except UnhealthyError:
            process.retire()
            raise
        return process


class Fleet:
    """Everything that serves one endpoint configuration."""

    def __init__(self, host: Host, endpoint: str, config: Json) -> None:
        self.config = config
        self._folder = host.cloud.home / "endpoints" / endpoint / uuid.uuid4().hex[:8]
        self.variants = {
            variant["VariantName"]: Variant(host, endpoint, self._folder / variant["VariantName"], variant)
            for variant in config["ProductionVariants"]
        }
        self.capture = Capture.of(host.cloud, endpoint, config.get("DataCaptureConfig"))
        self._credit = dict.fromkeys(self.variants, 0.0)
        self._choosing = threading.Lock()

    @property
    def instances(self) -> dict[str, int]:
        """How many instances each variant has."""
        return {name: variant.instances for name, variant in self.variants.items()}

    def start(self, instances: Mapping[str, int] | None = None) -> None:
        """Start every variant, with so many `instances` if they are not to be those of the configuration.

        Returns when all are healthy.

        Raises:
            FleetError: one cannot be; what was started is stopped again.
        """
        for name, variant in self.variants.items():
            try:
                with _fleet_error(variant):
                    variant.instances = (instances or self.instances)[name]
                    variant.start()
            except FleetError:
                self.retire()
                raise

    def scale(self, instances: Mapping[str, int]) -> None:
        """Give every variant so many instances; returns when all are healthy.

        Raises:
            FleetError: one cannot be.
        """
        for name, variant in self.variants.items():
            if variant.instances != instances[name]:
                with _fleet_error(variant):
                    variant.scale(instances[name])

    def choose(self, target: str | None = None) -> Variant:
        """The variant for the next request: `target`, or each in proportion to its weight.

        Raises:
            KeyError: there is no variant `target`.
        """
        if target is not None:
            return self.variants[target]
        if len(self.variants) == 1:
            return next(iter(self.variants.values()))
        with self._choosing:
            for name, variant in self.variants.items():
                self._credit[name] += variant.weight
            name = max(self._credit, key=lambda name: self._credit[name])
            self._credit[name] -= sum(variant.weight for variant in self.variants.values())
            return self.variants[name]

    def retire(self) -> None:
        """Finish the requests under way, stop the processes, and write out what was captured."""
        for variant in self.variants.values():
            variant.retire()
        if self.capture:
            self.capture.flush()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _fleet_error(variant: Variant) -> Iterator[None]:
    try:
        yield
    except UnhealthyError as error:
        raise FleetError(
            f"The primary container for production variant {variant.name} did not pass the ping health check."
            f" Please check CloudWatch logs for this endpoint. {error}"
        ) from error
    except (ModelError, ImageNotFoundError, UnsupportedOperation, ClientError) as error:
        raise FleetError(str(error)) from error


def _ask(process: ServingProcess, body: bytes, headers: Mapping[str, str]) -> Answer:
    with process.in_use() as admitted:
        if not admitted:
            raise RetiredError
        return process.invoke(body, headers)


def _retire_all(processes: list[ServingProcess]) -> None:
    with ThreadPoolExecutor(max(len(processes), 1)) as pool:
        list(pool.map(ServingProcess.retire, processes))
