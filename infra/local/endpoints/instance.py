"""One instance of a variant: a process for each container of its model, asked one after the other."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from infra.local.endpoints.exchange import ONLY_CONTAINER, Answer, Request
from infra.local.endpoints.multi_model import Archives, LoadedModels
from infra.local.endpoints.serving_process import ServingProcess, UnhealthyError
from infra.local.engine import Engine, Sandbox
from infra.local.execution_role import ExecutionRole
from infra.local.jobs.container_logs import ContainerLogs
from infra.local.model_containers import ModelContainer, ModelError, ServedModel
from serving.contract import MODEL_DIRECTORY

CONTENT_TYPE = "Content-Type"
ACCEPT = "Accept"


class MisdirectedError(Exception):
    """The request is for a container or a model that there is not, or does not say for which one it is."""


@dataclass(frozen=True)
class LogPlace:
    """Where an instance's containers log: `<prefix>` of one container, `<prefix>/<container>` of several."""

    role: ExecutionRole
    """In whose name."""
    group: str
    prefix: str

    def stream(self, container: str) -> str:
        """A container's log stream."""
        return self.prefix if container == ONLY_CONTAINER else f"{self.prefix}/{container}"


class Instance:
    """The containers of a model as running processes."""

    def __init__(
        self, engine: Engine, model: ServedModel, folder: Path, logs: LogPlace, *, archives: Archives | None = None
    ) -> None:
        """Start every process; `wait_until_healthy` says when they can be asked.

        Args:
            engine: Runs images.
            model: What is served.
            folder: Holds each container's artifact at `<container>/model`; the sandboxes are made beside it.
            logs: Where output goes.
            archives: Of a multi-model container.

        Raises:
            ImageNotFoundError: an image cannot be run here.
        """
        self._is_direct = model.is_direct
        self.processes: dict[str, ServingProcess] = {}
        try:
            for container in model.containers:
                given = logs.role.given_to(container.container, isolated=model.is_isolated)
                self.processes[container.name] = _start(engine, replace(container, container=given), folder, logs)
        except BaseException:
            self.retire()
            raise
        self._models = LoadedModels(next(iter(self.processes.values())), archives) if archives else None

    @property
    def pids(self) -> list[int]:
        """Of its processes."""
        return [process.pid for process in self.processes.values()]

    def has_ended(self, within_seconds: float) -> bool:
        """Whether one of its processes ends soon."""
        return any(process.has_ended(within_seconds) for process in self.processes.values())

    def wait_until_healthy(self, limit_seconds: float) -> None:
        """Wait until every container answers its health check.

        Raises:
            UnhealthyError: one never did; the error names it.
        """
        for name, process in self.processes.items():
            try:
                process.wait_until_healthy(limit_seconds)
            except UnhealthyError as error:
                raise UnhealthyError(str(error), container=name) from error

    @contextmanager
    def in_use(self) -> Iterator[bool]:
        """Say that a request is about to be sent; False if this instance takes no more."""
        with ExitStack() as stack:
            admitted = [stack.enter_context(process.in_use()) for process in self.processes.values()]
            yield all(admitted)

    def ask(self, request: Request) -> Answer:
        """Send a request through the containers, each getting what the one before answered; an error ends it.

        Raises:
            MisdirectedError: the request is not for a container or model that there is.
            NotAnsweredError: another instance may be asked instead.
            TimeoutError: a container took too long.
        """
        if self._models or request.target_model:
            return self._ask_model(request)
        return self._ask_all(request, self._asked(request))

    def retire(self) -> None:
        """Take no more requests, finish those under way, and stop."""
        for process in self.processes.values():
            process.retire()

    def _ask_all(self, request: Request, names: list[str]) -> Answer:
        body, headers = request.body, dict(request.headers)
        accept = headers.pop(ACCEPT, None)
        seconds: dict[str, float] = {}
        for name in names:
            if accept and name == names[-1]:
                headers[ACCEPT] = accept
            began = time.perf_counter()
            answer = self.processes[name].invoke(body, headers, request.timeout_seconds)
            seconds[name] = time.perf_counter() - began
            if not answer.is_success:
                break
            body = answer.body
            headers[CONTENT_TYPE] = answer.headers.get(CONTENT_TYPE, headers.get(CONTENT_TYPE, ""))
        return replace(answer, container=name, container_seconds=seconds if len(self.processes) > 1 else {})

    def _ask_model(self, request: Request) -> Answer:
        if self._models is None:
            raise MisdirectedError("TargetModel is for multi-model endpoints")
        if request.target_model is None:
            raise MisdirectedError("A multi-model endpoint needs a TargetModel")
        try:
            return self._models.ask(request.target_model, request)
        except ModelError as error:
            raise MisdirectedError(str(error).rstrip(".")) from error

    def _asked(self, request: Request) -> list[str]:
        names, target = list(self.processes), request.target_container
        if target is None and not self._is_direct:
            return names
        if not self._is_direct:
            raise MisdirectedError("TargetContainerHostname is for models whose containers are invoked directly")
        if target not in names:
            raise MisdirectedError(f"TargetContainerHostname is {target}, but it must be one of {', '.join(names)}")
        return [target]


def _start(engine: Engine, container: ModelContainer, folder: Path, logs: LogPlace) -> ServingProcess:
    sandbox = Sandbox(folder / logs.prefix.rsplit("/", 1)[-1] / container.name)
    sandbox.ml.mkdir(parents=True)
    if not container.is_multi_model:
        (sandbox.ml / MODEL_DIRECTORY).symlink_to(folder / container.name / MODEL_DIRECTORY)
    shipped = ContainerLogs(logs.role, sandbox.log, group=logs.group, stream=logs.stream(container.name))
    return ServingProcess(engine, container.container, sandbox, shipped)
