"""Training, processing and transform jobs that run: moto's handlers replaced by a data plane."""

import os
import threading
from collections.abc import MutableMapping
from typing import Any

from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound
from moto.sagemaker.models import sagemaker_backends

from infra.local import listing
from infra.local.cloud import LocalCloud
from infra.local.engine import Engine, ProcessEngine
from infra.local.execution_role import ExecutionRole
from infra.local.jobs.job import Job
from infra.local.jobs.job_runner import STOP_GRACE_SECONDS, ContainerJobRunner, JobRunner
from infra.local.jobs.processing_jobs import ProcessingJob
from infra.local.jobs.training_jobs import TrainingJob
from infra.local.jobs.transform_job import TransformJob
from infra.local.jobs.transform_runner import TransformRunner
from infra.local.operations import Operation, replace_sagemaker
from infra.local.validation import Json, ValidationException


def install(cloud: LocalCloud, engine: Engine | None = None, stop_grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """Replace moto's job operations, which complete at once and run nothing."""
    engine, turns = engine or ProcessEngine(cloud), threading.Semaphore(os.cpu_count() or 1)
    containers = ContainerJobRunner(cloud, engine, turns, stop_grace_seconds)
    backend = sagemaker_backends[cloud.account][cloud.region]
    replace_sagemaker(Jobs(cloud, containers, TrainingJob, backend.training_jobs).operations())
    replace_sagemaker(Jobs(cloud, containers, ProcessingJob, backend.processing_jobs).operations())
    transforms = TransformRunner(cloud, engine, turns)
    replace_sagemaker(Jobs(cloud, transforms, TransformJob, backend.transform_jobs).operations())


class Jobs:
    """The operations of one kind of job; the jobs themselves lie in moto's store, so that tags and search find them."""

    def __init__(
        self, cloud: LocalCloud, runner: JobRunner[Any], kind: type[Job], store: MutableMapping[str, Job]
    ) -> None:
        self._cloud = cloud
        self._runner = runner
        self._kind = kind
        self._store = store

    def operations(self) -> dict[str, Operation]:
        """By AWS's names."""
        kind = self._kind.kind
        return {
            f"Create{kind}": self.create,
            f"Describe{kind}": self.describe,
            f"Stop{kind}": self.stop,
            f"List{kind}s": self.list_all,
        }

    def create(self, request: Json) -> Json:
        """Take a job and begin to run it."""
        name = request[f"{self._kind.kind}Name"]
        arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:{self._kind.resource}/{name}"
        sagemaker = self._cloud.client("sagemaker")
        self._kind.check(request, sagemaker)
        ExecutionRole.assumed(self._cloud, self._kind.role_of(request, sagemaker), arn)
        job = self._kind(request, arn, self._cloud.clock.now(), list(request.get("Tags", [])))
        if self._store.setdefault(name, job) is not job:
            raise ResourceInUseException(
                f"Job name must be unique within an AWS account and region: {arn} exists already."
            )
        self._runner.start(job)
        return {f"{self._kind.kind}Arn": arn}

    def describe(self, request: Json) -> Json:
        """Tell a job's state."""
        return self._find(request).describe()

    def stop(self, request: Json) -> None:
        """Begin to stop a job."""
        job = self._find(request)
        if not job.request_stop():
            raise ValidationException(f"The request was rejected because the {job.resource} is in status {job.status}.")

    def list_all(self, request: Json) -> Json:
        """List jobs."""
        kind = self._kind.kind
        summaries = [job.summary() for job in list(self._store.values())]
        rows, token = listing.page(summaries, request, name=f"{kind}Name", status=f"{kind}Status")
        return {f"{kind}Summaries": rows, "NextToken": token}

    def _find(self, request: Json) -> Job:
        name = request[f"{self._kind.kind}Name"]
        if name not in self._store:
            raise ResourceNotFound(f"Requested resource not found: {self._kind.resource} {name}.")
        return self._store[name]
