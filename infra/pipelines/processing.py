"""CreateProcessingJob requests of our images, for the pipeline's steps and for the scheduled drift job alike."""

from dataclasses import dataclass
from typing import Any, Final

from infra.config.instance import InstanceConfig, has_local_disk
from infra.pipelines.references import Reference
from serving.contract import DEFAULT_ML_ROOT

MAX_RUNTIME_SECONDS: Final = 777_600
"""The longest that SageMaker lets a processing job run."""

Uri = str | Reference
VpcConfig = dict[str, list[str]]
"""SageMaker's: SecurityGroupIds and Subnets."""


def volume_key(instance_type: str, kms_key: str | None) -> str | None:
    """What a volume is encrypted with; SageMaker refuses a key where the instance has a disk of its own."""
    return None if has_local_disk(instance_type) else kms_key


@dataclass(frozen=True)
class Machine:
    """What a job runs on, where, as whom, and for how long at most."""

    instance: InstanceConfig
    role_arn: str
    kms_key: str | None
    max_runtime_seconds: int
    vpc_config: VpcConfig | None = None

    def cluster(self) -> dict[str, Any]:
        """A processing job's ClusterConfig, and a training job's ResourceConfig."""
        return {
            "InstanceType": self.instance.type,
            "InstanceCount": self.instance.count,
            "VolumeSizeInGB": self.instance.volume_gb,
            "VolumeKmsKeyId": volume_key(self.instance.type, self.kms_key),
        }


def processing_request(
    machine: Machine,
    *,
    image: str,
    command: str,
    environment: dict[str, str],
    inputs: dict[str, Uri],
    outputs: dict[str, Uri],
    isolated: bool = True,
) -> dict[str, Any]:
    """A request without its job name.

    Args:
        machine: What the job runs on.
        image: URI of the image.
        command: The image's command.
        environment: Variables of the job.
        inputs: S3 URI by the contract's input path (`input/…`).
        outputs: S3 URI by the contract's output path (`output/…`).
        isolated: Whether the container has no network; SageMaker moves inputs and outputs either way.
    """
    return {
        "AppSpecification": {"ImageUri": image, "ContainerArguments": [command]},
        "Environment": environment,
        "NetworkConfig": {"EnableNetworkIsolation": isolated, "VpcConfig": machine.vpc_config},
        "ProcessingInputs": [_input(path, uri) for path, uri in inputs.items()],
        "ProcessingOutputConfig": {
            "KmsKeyId": machine.kms_key,
            "Outputs": [_output(path, uri) for path, uri in outputs.items()],
        },
        "ProcessingResources": {"ClusterConfig": machine.cluster()},
        "RoleArn": machine.role_arn,
        "StoppingCondition": {"MaxRuntimeInSeconds": min(machine.max_runtime_seconds, MAX_RUNTIME_SECONDS)},
    }


def channel_name(path: str) -> str:
    """The name of the input or output at a contract path: `output/train` is called `train`."""
    return path.rsplit("/", 1)[-1]


def _input(path: str, uri: Uri) -> dict[str, Any]:
    return {
        "InputName": channel_name(path),
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": _local(path),
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output(path: str, uri: Uri) -> dict[str, Any]:
    return {
        "OutputName": channel_name(path),
        "S3Output": {"S3Uri": uri, "LocalPath": _local(path), "S3UploadMode": "EndOfJob"},
    }


def _local(path: str) -> str:
    return f"{DEFAULT_ML_ROOT}/processing/{path}"
