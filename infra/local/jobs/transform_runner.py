"""Running a transform job: its model's containers, asked for each payload of each object, and the outputs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
"""

import gzip
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local import s3_files
from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.instance import Instance, LogPlace
from infra.local.endpoints.serving_process import NotAnsweredError, UnhealthyError
from infra.local.endpoints.variant import HEALTH_CHECK_SECONDS
from infra.local.engine import Sandbox
from infra.local.execution_role import ExecutionRole
from infra.local.jobs.job import JobFailedError
from infra.local.jobs.job_runner import JobRunner, JobStoppedError
from infra.local.jobs.transform_job import Settings, TransformJob
from infra.local.jobs.transform_records import RecordError, assemble
from infra.local.model_containers import ModelError, of_model, unpack
from infra.local.validation import UnsupportedOperation
from serving.contract import EXECUTION_PARAMETERS_PATH, MODEL_DIRECTORY

LOG_GROUP = "/aws/sagemaker/TransformJobs"


class TransformRunner(JobRunner[TransformJob]):
    """Runs transform jobs."""

    def _work(self, job: TransformJob, sandbox: Sandbox) -> None:
        self._enter(job, "Starting")
        try:
            role = ExecutionRole.assumed(
                self._cloud, job.role_of(job.request, self._cloud.client("sagemaker")), job.arn
            )
            role.write_outputs(job.request["TransformOutput"].get("KmsKeyId"))
            instance = self._instance(job, role, sandbox.folder)
        except (ModelError, ClientError, UnsupportedOperation) as error:
            raise JobFailedError(f"ClientError: {error}") from error
        try:
            self._serve(job, role, instance)
        finally:
            instance.retire()
            shutil.rmtree(sandbox.folder, ignore_errors=True)

    def _instance(self, job: TransformJob, role: ExecutionRole, folder: Path) -> Instance:
        model = of_model(self._cloud.client("sagemaker"), job.request["ModelName"])
        if model.is_multi_model:
            raise UnsupportedOperation("transform jobs of multi-model containers")
        for each in model.containers:
            unpack(role.client("s3"), each, folder / each.name / MODEL_DIRECTORY)
        role.start_containers(model.images, job.request["TransformResources"].get("VolumeKmsKeyId"))
        told = tuple(replace(each, container=job.container(each.container)) for each in model.containers)
        logs = LogPlace(role, LOG_GROUP, f"{job.name}/i-{int(job.creation_time.timestamp()):017x}")
        return Instance(self._engine, replace(model, containers=told), folder, logs)

    def _serve(self, job: TransformJob, role: ExecutionRole, instance: Instance) -> None:
        try:
            instance.wait_until_healthy(HEALTH_CHECK_SECONDS)
        except UnhealthyError as error:
            reason = f"the {error.container} container did not pass the ping health check. {error}"
            raise JobFailedError(f"AlgorithmError: {reason}") from error
        settings = job.settings(*_execution_parameters(instance))
        self._enter(job, job.running)
        failures = Transform(role.client("s3"), job, instance, settings).run()
        if failures:
            more = f" ({len(failures)} inputs failed)" if len(failures) > 1 else ""
            raise JobFailedError(f"{failures[0]}{more}")
        self._end(job, "Completed")


@dataclass(frozen=True)
class Transform:
    """The objects of a job, on their way through its model."""

    s3: Any
    job: TransformJob
    instance: Instance
    settings: Settings

    def run(self) -> list[str]:
        """Transform every object; one that fails has no output, and the others go on.

        Returns:
            Why objects failed.

        Raises:
            JobStoppedError: the job was stopped.
        """
        source = self.job.request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, prefix = s3_files.split_uri(source)
        keys = s3_files.keys(self.s3, source)
        with ThreadPoolExecutor(self.settings.concurrent) as asking, ThreadPoolExecutor(2) as objects:
            return [
                reason
                for reason in objects.map(lambda key: self._object(bucket, key, prefix, asking.map), keys)
                if reason
            ]

    def _object(self, bucket: str, key: str, prefix: str, ask_all: Callable[..., Any]) -> str | None:
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        output = self.job.request["TransformOutput"]
        try:
            if self.job.request["TransformInput"].get("CompressionType", "None") == "Gzip":
                body = gzip.decompress(body)
            answers = list(ask_all(self._payload, self.settings.splitting.payloads(body)))
        except (RecordError, OSError) as error:
            return f"ClientError: s3://{bucket}/{key}: {error}"
        except JobFailedError as error:
            return f"AlgorithmError: s3://{bucket}/{key}: {error}"
        to_bucket, folder = s3_files.split_uri(output["S3OutputPath"])
        name = f"{s3_files.relative_key(key, prefix)}.out"
        whole = assemble(answers, by_line=output.get("AssembleWith", "None") == "Line")
        place = {"Bucket": to_bucket, "Key": f"{folder.rstrip('/')}/{name}".lstrip("/")}
        self.s3.put_object(**place, Body=whole, **s3_files.encryption(output.get("KmsKeyId")))
        return None

    def _payload(self, records: list[bytes]) -> bytes:
        kind = self.job.request["TransformInput"].get("ContentType", "")
        accept = self.job.request["TransformOutput"].get("Accept", "")
        headers = {name: value for name, value in (("Content-Type", kind), ("Accept", accept)) if value}
        body = self.job.processing.sent(records, kind)
        answer = self._ask(Request(body, headers, timeout_seconds=self.settings.timeout_seconds))
        answered = accept or str(answer.headers.get("Content-Type", ""))
        return self.job.processing.kept(records, kind, answer.body, answered)

    def _ask(self, request: Request) -> Answer:
        for attempt in range(self.settings.retries + 1):
            if self.job.stop_requested.is_set():
                raise JobStoppedError
            try:
                answer = self.instance.ask(request)
            except (NotAnsweredError, TimeoutError) as error:
                reason = f"no answer from the container: {error}"
            else:
                if answer.is_success:
                    return answer
                said = answer.body.decode(errors="replace")[:500]
                reason = f'Received error ({answer.status}) from {answer.container} with message "{said}"'
                if attempt == self.settings.retries or answer.status < 500:  # noqa: PLR2004 - a server's fault may pass
                    break
        raise JobFailedError(reason)


def _execution_parameters(instance: Instance) -> tuple[int, Any]:
    try:
        answer = next(iter(instance.processes.values())).send("GET", EXECUTION_PARAMETERS_PATH)
        return answer.status, json.loads(answer.body)
    except (NotAnsweredError, TimeoutError, ValueError):
        return 0, None
