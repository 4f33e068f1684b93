"""Training jobs under SageMaker's training container contract.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from infra.local import s3_files
from infra.local.engine import Container, Sandbox
from infra.local.jobs.job import ContainerJob, Ending, present, refuse_several_instances, require
from infra.local.validation import Json, ValidationException
from serving.contract import FAILURE_FILE
from training.contract import MODEL_ARCHIVE, TRAIN_COMMAND

OUTPUT_ARCHIVE = "output.tar.gz"
RESOURCES = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
STATUS_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


@dataclass
class TrainingJob(ContainerJob):
    """A training job and its state."""

    kind: ClassVar[str] = "TrainingJob"
    resource: ClassVar[str] = "training-job"
    event: ClassVar[str] = "SageMaker Training Job State Change"
    running: ClassVar[str] = "Training"

    transitions: list[Json] = field(default_factory=list)
    metrics: dict[str, Json] = field(default_factory=dict)
    has_model: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_unsupported(self.request)
        definitions = self.request["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._patterns = [(definition["Name"], _compiled(definition)) for definition in definitions]
        self.enter("Starting", self.creation_time)

    @property
    def output_uri(self) -> str:
        """The folder of its artifacts."""
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    @property
    def is_isolated(self) -> bool:
        """Whether its containers have no network."""
        return bool(self.request.get("EnableNetworkIsolation"))

    @property
    def volume_key(self) -> str | None:
        """What its volumes are encrypted with."""
        key: str | None = self.request["ResourceConfig"].get("VolumeKmsKeyId")
        return key

    @property
    def output_key(self) -> str | None:
        """What its artifacts are encrypted with."""
        key: str | None = self.request["OutputDataConfig"].get("KmsKeyId")
        return key

    def enter(self, secondary: str, now: datetime) -> None:
        """Note a secondary status, and that the one before has ended."""
        super().enter(secondary, now)
        if self.transitions:
            self.transitions[-1] = {**self.transitions[-1], "EndTime": now}
        transition = {"Status": secondary, "StartTime": now, "StatusMessage": STATUS_MESSAGES[secondary]}
        self.transitions.append(transition | present(EndTime=self.end_time))

    def describe(self) -> Json:
        """The answer of DescribeTrainingJob."""
        request = {name: value for name, value in self.request.items() if name != "Tags"}
        seconds = int((self.end_time - self.start_time).total_seconds()) if self.end_time and self.start_time else None
        return request | present(
            TrainingJobArn=self.arn,
            TrainingJobStatus=self.status,
            SecondaryStatus=self.transitions[-1]["Status"],
            SecondaryStatusTransitions=list(self.transitions),
            ModelArtifacts={"S3ModelArtifacts": f"{self.output_uri}/{MODEL_ARCHIVE}"} if self.has_model else None,
            FailureReason=self.failure_reason,
            CreationTime=self.creation_time,
            TrainingStartTime=self.start_time,
            TrainingEndTime=self.end_time,
            LastModifiedTime=self.last_modified_time,
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            FinalMetricDataList=list(self.metrics.values()) or None,
        )

    def container(self) -> Container:
        """What is to be run: `<image> train`, unless the request says otherwise."""
        algorithm = self.request["AlgorithmSpecification"]
        return Container(
            image=algorithm["TrainingImage"],
            entrypoint=tuple(algorithm.get("ContainerEntrypoint", ())),
            arguments=tuple(algorithm.get("ContainerArguments", (TRAIN_COMMAND,))),
            environment={
                "TRAINING_JOB_NAME": self.name,
                "TRAINING_JOB_ARN": self.arn,
                **self.request.get("Environment", {}),
            },
        )

    def download(self, s3: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - a boto3 client
        """Write the configuration files, and each channel's data into input/data/<channel>."""
        for folder in ("model", "output/data", "input/data", "input/config", "checkpoints"):
            (sandbox.ml / folder).mkdir(parents=True, exist_ok=True)
        channels = {channel["ChannelName"]: channel for channel in self.request.get("InputDataConfig", [])}
        configuration = {
            "hyperparameters": self.request.get("HyperParameters", {}),
            "inputdataconfig": {name: _channel_configuration(channel) for name, channel in channels.items()},
            "resourceconfig": RESOURCES | {"current_instance_type": self.request["ResourceConfig"]["InstanceType"]},
        }
        for name, content in configuration.items():
            (sandbox.ml / "input/config" / f"{name}.json").write_text(json.dumps(content))
        for name, channel in channels.items():
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            s3_files.fetch_prefix(s3, uri, sandbox.ml / "input/data" / name)

    def upload(self, s3: Any, sandbox: Sandbox, ending: Ending, exit_code: int) -> None:  # noqa: ANN401
        """Upload model.tar.gz unless training failed, and output.tar.gz if there is something to put in it."""
        succeeded = exit_code == 0 or ending is not Ending.EXITED
        for folder, archive in (("model", MODEL_ARCHIVE), ("output/data", OUTPUT_ARCHIVE)):
            is_model = archive == MODEL_ARCHIVE
            if any((sandbox.ml / folder).iterdir()) and (succeeded or not is_model):
                s3_files.upload_archive(
                    s3, sandbox.ml / folder, sandbox.folder / archive, f"{self.output_uri}/{archive}"
                )
                self.has_model = self.has_model or is_model

    def message(self, sandbox: Sandbox) -> str:
        """The failure that the container wrote."""
        failure = sandbox.ml / FAILURE_FILE
        return failure.read_text(errors="replace") if failure.exists() else ""

    def read_log_line(self, line: str) -> None:
        """Scrape metrics: the last value of each is the final one."""
        for name, pattern in self._patterns:
            if (match := pattern.search(line)) and (value := _number(match.group(1))) is not None:
                self.metrics[name] = {"MetricName": name, "Value": value, "Timestamp": self.last_modified_time}


def refuse_unsupported(request: Json) -> None:
    """Refuse what cannot be run here, rather than run something else.

    Raises:
        UnsupportedOperation: it would work on AWS.
        ValidationException: it would not.
    """
    for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if member not in request:
            raise ValidationException(f"Missing required parameter: {member}")
    if "TrainingImage" not in request["AlgorithmSpecification"]:
        raise ValidationException("Missing required parameter: AlgorithmSpecification.TrainingImage")
    refuse_several_instances(request["ResourceConfig"])
    require("CheckpointConfig" not in request, "checkpoints (CheckpointConfig)")
    default_mode = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    for channel in request.get("InputDataConfig", []):
        name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
        require(source is not None, f"channel '{name}' from a file system (FileSystemDataSource)")
        require(source["S3DataType"] == "S3Prefix", f"channel '{name}' of type {source['S3DataType']}; use S3Prefix")
        mode = channel.get("InputMode", default_mode)
        require(mode == "File", f"channel '{name}' in {mode} mode; use File")
        compression = channel.get("CompressionType", "None")
        require(compression == "None", f"channel '{name}' with CompressionType {compression}")


def _channel_configuration(channel: Json) -> Json:
    return {
        "TrainingInputMode": "File",
        "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **present(ContentType=channel.get("ContentType")),
    }


def _compiled(definition: Json) -> re.Pattern[str]:
    try:
        pattern = re.compile(definition["Regex"])
    except re.error as error:
        raise ValidationException(f"Invalid regex of metric {definition['Name']}: {error}") from error
    if not pattern.groups:
        raise ValidationException(f"The regex of metric {definition['Name']} has no capture group for the value")
    return pattern


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
