"""Running a job: its turn, its sandbox, its container, its end."""

import logging
import os
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from subprocess import Popen
from typing import Any, Generic, TypeVar

from botocore.exceptions import ClientError

from infra import processes
from infra.local.cloud import LocalCloud
from infra.local.engine import Engine, ImageNotFoundError, Sandbox
from infra.local.execution_role import ExecutionRole
from infra.local.identity.authority import AccessDeniedError
from infra.local.jobs.container_logs import ContainerLogs
from infra.local.jobs.job import ContainerJob, Ending, Job, JobFailedError
from infra.local.s3_files import DataNotFoundError
from infra.local.validation import ValidationException

STOP_GRACE_SECONDS = 10.0
"""Between SIGTERM and SIGKILL; 120 on AWS, where nobody sits and waits."""
FAILED_SANDBOXES_KEPT = 20
LOGS_KEPT = 200
POLL_SECONDS = 0.02
J = TypeVar("J", bound=Job)
logger = logging.getLogger(__name__)


class JobStoppedError(Exception):
    """The job was stopped, before its turn came or after."""


class JobRunner(ABC, Generic[J]):
    """Runs jobs of a kind; the others wait for their turn."""

    def __init__(self, cloud: LocalCloud, engine: Engine, turns: threading.Semaphore | None = None) -> None:
        """Run jobs whenever `turns` allows: as many at once as the machine has processors, unless it is given."""
        self._cloud = cloud
        self._engine = engine
        self._turns = turns or threading.Semaphore(os.cpu_count() or 1)

    def start(self, job: J) -> None:
        """Begin to run `job` on a thread of its own."""
        self._tell(job)
        self._cloud.start(f"{job.resource} {job.name}", lambda: self.run(job))

    def run(self, job: J) -> None:
        """Run `job` from its turn to its end, whatever that is."""
        sandbox = Sandbox(self._cloud.home / f"{job.resource}s" / job.name)
        try:
            with self._turn(job):
                self._work(job, sandbox)
        except JobStoppedError:
            self._end(job, "Stopped")
        except JobFailedError as error:
            self._end(job, "Failed", str(error))
        except (DataNotFoundError, ImageNotFoundError, AccessDeniedError, ClientError, ValidationException) as error:
            self._end(job, "Failed", f"ClientError: {error}")
        except Exception as error:
            logger.exception("%s %s", job.resource, job.name)
            self._end(job, "Failed", f"InternalServerError: {error}")
        self._clean(job, sandbox)

    @contextmanager
    def _turn(self, job: Job) -> Iterator[None]:
        while not self._turns.acquire(timeout=POLL_SECONDS):
            if job.stop_requested.is_set():
                raise JobStoppedError
        try:
            yield
        finally:
            self._turns.release()

    @abstractmethod
    def _work(self, job: J, sandbox: Sandbox) -> None:
        """Run `job`, and end it unless an error does.

        Raises:
            JobStoppedError: it was stopped.
            JobFailedError: it failed.
        """

    def _enter(self, job: Job, secondary: str) -> None:
        job.enter(secondary, self._cloud.clock.now())
        self._tell(job)

    def _end(self, job: Job, status: str, reason: str | None = None, secondary: str | None = None) -> None:
        job.end(status, self._cloud.clock.now(), reason, secondary)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        self._cloud.emit("aws.sagemaker", job.event, in_milliseconds(job.describe()), [job.arn])

    def _clean(self, job: Job, sandbox: Sandbox) -> None:
        if job.status == "Completed":
            for path in sandbox.folder.iterdir() if sandbox.folder.exists() else ():
                if path != sandbox.log:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        _forget_oldest([path.parent for path in sandbox.folder.parent.glob("*/ml")], FAILED_SANDBOXES_KEPT)
        _forget_oldest(list(sandbox.folder.parent.glob("*")), LOGS_KEPT)


class ContainerJobRunner(JobRunner[ContainerJob]):
    """Runs jobs that are one container's run."""

    def __init__(
        self,
        cloud: LocalCloud,
        engine: Engine,
        turns: threading.Semaphore | None = None,
        stop_grace_seconds: float = STOP_GRACE_SECONDS,
    ) -> None:
        super().__init__(cloud, engine, turns)
        self._stop_grace_seconds = stop_grace_seconds

    def _work(self, job: ContainerJob, sandbox: Sandbox) -> None:
        role = ExecutionRole.assumed(self._cloud, job.role_of(job.request, None), job.arn)
        s3 = role.client("s3")
        hosts = [sandbox] if len(job.hosts) == 1 else [Sandbox(sandbox.folder / host, host) for host in job.hosts]
        self._enter(job, "Downloading")
        for each in hosts:
            each.ml.mkdir(parents=True, exist_ok=True)
            job.download(s3, each)
        role.start_containers((job.container().image,), job.volume_key)
        self._enter(job, job.running)
        ending, exit_code, host = self._run_containers(job, hosts, role)
        self._enter(job, "Uploading")
        role.write_outputs(job.output_key)
        for each in hosts:
            job.upload(s3, each, ending, exit_code)
        job.note_message(host)
        self._conclude(job, host, ending, exit_code)

    def _run_containers(
        self, job: ContainerJob, hosts: list[Sandbox], role: ExecutionRole
    ) -> tuple[Ending, int, Sandbox]:
        """Run a container a host; the first that fails ends them all, and is whom the job speaks of."""
        running: list[tuple[Popen[bytes], ContainerLogs]] = []
        try:
            running += (self._start(job, each, role) for each in hosts)
            ending, place = self._watch(job, running)
        finally:
            exit_codes = [processes.stop(process, self._stop_grace_seconds) for process, _ in running]
        for _, logs in running:
            logs.ship(last=True)
        exit_code = exit_codes[place]
        return ending, exit_code if exit_code >= 0 else 128 - exit_code, hosts[place]

    def _start(self, job: ContainerJob, sandbox: Sandbox, role: ExecutionRole) -> tuple[Popen[bytes], ContainerLogs]:
        stream = f"{job.name}/{sandbox.host}-{int(job.creation_time.timestamp())}"
        logs = ContainerLogs(role, sandbox.log, group=job.log_group, stream=stream, on_line=job.read_log_line)
        return self._engine.start(role.given_to(job.container(), isolated=job.is_isolated), sandbox), logs

    def _watch(self, job: ContainerJob, running: list[tuple[Popen[bytes], ContainerLogs]]) -> tuple[Ending, int]:
        """How the containers ended, and the place of the one that failed, or of the first."""
        deadline = time.monotonic() + job.max_runtime_seconds
        while any(process.poll() is None for process, _ in running):
            failed = [place for place, (process, _) in enumerate(running) if process.poll() not in {None, 0}]
            if failed:
                return Ending.EXITED, failed[0]
            if job.stop_requested.wait(POLL_SECONDS):
                return Ending.STOPPED, 0
            if time.monotonic() > deadline:
                return Ending.MAX_RUNTIME, 0
            for _, logs in running:
                logs.ship_now_and_then()
        return Ending.EXITED, next((place for place, (process, _) in enumerate(running) if process.returncode), 0)

    def _conclude(self, job: ContainerJob, sandbox: Sandbox, ending: Ending, exit_code: int) -> None:
        if ending is Ending.STOPPED:
            self._end(job, "Stopped")
        elif ending is Ending.MAX_RUNTIME:
            reason = f"MaxRuntimeInSeconds of {job.max_runtime_seconds:g} was exceeded"
            self._end(job, "Stopped", reason, secondary="MaxRuntimeExceeded")
        elif exit_code == 0:
            self._end(job, "Completed")
        else:
            said = job.message(sandbox).strip() or "see the job's logs for more information"
            tail = f", exit code: {exit_code}"
            self._end(job, "Failed", f"AlgorithmError: {said[: 1000 - len(tail)]}{tail}")


def in_milliseconds(answer: Any) -> Any:  # noqa: ANN401 - any part of an answer
    """An answer as events carry it: moments are milliseconds since 1970."""
    if isinstance(answer, dict):
        return {name: in_milliseconds(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [in_milliseconds(value) for value in answer]
    return int(answer.timestamp() * 1000) if isinstance(answer, datetime) else answer


def _forget_oldest(folders: list[Path], keep: int) -> None:
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(folder, ignore_errors=True)
