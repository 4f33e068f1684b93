"""Processing jobs under SageMaker's processing container contract.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from infra.local import s3_files
from infra.local.engine import Container, Sandbox
from infra.local.jobs.job import REASON_CHARACTERS, ContainerJob, Ending, present, require
from infra.local.jobs.training_jobs import RESOURCES
from infra.local.validation import Json, ValidationException
from serving.contract import MESSAGE_FILE

LOCAL_ROOT = "/opt/ml/processing/"
MOST_HOSTS = 8
"""Each is a process of this machine."""


@dataclass
class ProcessingJob(ContainerJob):
    """A processing job and its state."""

    kind: ClassVar[str] = "ProcessingJob"
    resource: ClassVar[str] = "processing-job"
    event: ClassVar[str] = "SageMaker Processing Job State Change"
    running: ClassVar[str] = "Processing"

    exit_message: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_unsupported(self.request)

    @property
    def _outputs(self) -> list[Json]:
        return list(self.request.get("ProcessingOutputConfig", {}).get("Outputs", []))

    @property
    def is_isolated(self) -> bool:
        """Whether its containers have no network."""
        return bool(self.request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    @property
    def volume_key(self) -> str | None:
        """What its volumes are encrypted with."""
        key: str | None = self.request["ProcessingResources"]["ClusterConfig"].get("VolumeKmsKeyId")
        return key

    @property
    def output_key(self) -> str | None:
        """What its outputs are encrypted with."""
        key: str | None = self.request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        return key

    @property
    def hosts(self) -> tuple[str, ...]:
        """One an instance."""
        count = self.request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
        return tuple(f"algo-{number}" for number in range(1, count + 1))

    def describe(self) -> Json:
        """The answer of DescribeProcessingJob."""
        request = {name: value for name, value in self.request.items() if name != "Tags"}
        return request | present(
            ProcessingJobArn=self.arn,
            ProcessingJobStatus=self.status,
            ExitMessage=self.exit_message,
            FailureReason=self.failure_reason,
            CreationTime=self.creation_time,
            ProcessingStartTime=self.start_time,
            ProcessingEndTime=self.end_time,
            LastModifiedTime=self.last_modified_time,
        )

    def container(self) -> Container:
        """What is to be run."""
        application = self.request["AppSpecification"]
        return Container(
            image=application["ImageUri"],
            entrypoint=tuple(application.get("ContainerEntrypoint", ())),
            arguments=tuple(application.get("ContainerArguments", ())),
            environment=self.request.get("Environment", {}),
        )

    def download(self, s3: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - a boto3 client
        """Write the configuration files, fetch the inputs, and make the outputs' folders."""
        configuration = sandbox.ml / "config"
        configuration.mkdir(parents=True, exist_ok=True)
        (sandbox.ml / MESSAGE_FILE).parent.mkdir(parents=True, exist_ok=True)
        (configuration / "processingjobconfig.json").write_text(
            json.dumps({"ProcessingJobArn": self.arn, **self.describe()}, default=str)
        )
        resources = RESOURCES | {"current_host": sandbox.host, "hosts": list(self.hosts)}
        (configuration / "resourceconfig.json").write_text(json.dumps(resources))
        for given in self.request.get("ProcessingInputs", []):
            source = given["S3Input"]
            dealt = source.get("S3DataDistributionType") == "ShardedByS3Key"
            share = slice(self.hosts.index(sandbox.host), None, len(self.hosts)) if dealt else slice(None)
            s3_files.fetch_prefix(s3, source["S3Uri"], sandbox.path(source["LocalPath"]), share)
        for output in self._outputs:
            sandbox.path(output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)

    def upload(self, s3: Any, sandbox: Sandbox, ending: Ending, exit_code: int) -> None:  # noqa: ANN401
        """Upload each output's folder if the container came to a good end."""
        if ending is Ending.EXITED and exit_code == 0:
            for output in self._outputs:
                target = output["S3Output"]
                s3_files.upload_folder(s3, sandbox.path(target["LocalPath"]), target["S3Uri"])

    def note_message(self, sandbox: Sandbox) -> None:
        """Keep the exit message; of several hosts, of the one that failed or of the first."""
        self.exit_message = self.message(sandbox) or None

    def message(self, sandbox: Sandbox) -> str:
        """The exit message that the container wrote."""
        message = sandbox.ml / MESSAGE_FILE
        if not message.exists():
            return ""
        return message.read_bytes()[:REASON_CHARACTERS].decode(errors="ignore")


def refuse_unsupported(request: Json) -> None:
    """Refuse what cannot be run here, rather than run something else.

    Raises:
        UnsupportedOperation: it would work on AWS.
        ValidationException: it would not.
    """
    count = request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
    require(count <= MOST_HOSTS, f"a job on {count} instances; at most {MOST_HOSTS} are processes here")
    for given in request.get("ProcessingInputs", []):
        name, source = given["InputName"], given.get("S3Input")
        require(source is not None, f"input '{name}' from a dataset definition; use S3Input")
        require(not given.get("AppManaged"), f"input '{name}' managed by the application (AppManaged)")
        require(source["S3DataType"] == "S3Prefix", f"input '{name}' of type {source['S3DataType']}; use S3Prefix")
        mode = source.get("S3InputMode", "File")
        require(mode == "File", f"input '{name}' in {mode} mode; use File")
        compression = source.get("S3CompressionType", "None")
        require(compression == "None", f"input '{name}' with S3CompressionType {compression}")
        _check_local_path(name, source.get("LocalPath", ""))
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        name, target = output["OutputName"], output.get("S3Output")
        require(target is not None, f"output '{name}' to a feature store; use S3Output")
        require(
            target["S3UploadMode"] == "EndOfJob", f"output '{name}' uploaded {target['S3UploadMode']}; use EndOfJob"
        )
        _check_local_path(name, target.get("LocalPath", ""))


def _check_local_path(name: str, path: str) -> None:
    if not path.startswith(LOCAL_ROOT) or ".." in path.split("/"):
        raise ValidationException(f"The local path of '{name}' must start with {LOCAL_ROOT} but is '{path}'")
