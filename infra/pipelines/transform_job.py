"""The scheduled batch transform: the request that EventBridge Scheduler sends to SageMaker."""

from typing import Any

from infra.config import BatchTransformConfig
from infra.naming import ModelNames
from infra.pipelines.processing import volume_key
from infra.pipelines.references import as_json
from infra.pipelines.scheduled import SCHEDULED_TIME, filled_in, job_name
from infra.pipelines.validator import check_request


def transform_job(settings: BatchTransformConfig, names: ModelNames, *, model: str, kms_key: str) -> dict[str, Any]:
    """The CreateTransformJob request, with the scheduler's context attributes in place of what only it knows.

    Args:
        settings: the owner's.
        names: the model's names.
        model: the SageMaker model's name.
        kms_key: ARN of the key that encrypts answers and the instances' volumes.

    Raises:
        InvalidDefinition: SageMaker would refuse the request.
    """
    request: dict[str, Any] = as_json(
        {
            "TransformJobName": job_name(names.model, "batch"),
            "ModelName": model,
            "BatchStrategy": "MultiRecord" if settings.split else "SingleRecord",
            "MaxPayloadInMB": settings.max_payload_mb,
            "MaxConcurrentTransforms": settings.max_concurrent_transforms,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": names.batch_uri(settings.input)}},
                "ContentType": settings.content_type,
                "SplitType": "Line" if settings.split else "None",
            },
            "TransformOutput": {
                "S3OutputPath": f"{names.batch_uri(settings.output)}{SCHEDULED_TIME}",
                "Accept": settings.content_type,
                "AssembleWith": "Line" if settings.split else "None",
                "KmsKeyId": kms_key,
            },
            "TransformResources": {
                "InstanceType": settings.instance_type,
                "InstanceCount": settings.instances,
                "VolumeKmsKeyId": volume_key(settings.instance_type, kms_key),
            },
            "DataProcessing": {"JoinSource": "Input" if settings.join_input else "None"},
        }
    )
    check_request("CreateTransformJob", filled_in(request))
    return request
