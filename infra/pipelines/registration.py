"""What is written into the registry: the model, what it was trained on, how good it is, and its baseline."""

from typing import Any, Final

from infra.config import BatchTransformConfig, EndpointConfig, ModelConfig, ServerlessEndpointConfig
from infra.naming import ModelNames
from infra.pipelines.names import BASELINE_STEP, EVALUATE_STEP, EVALUATION, PREPARE_STEP, PREPARED, TRAIN_STEP
from infra.pipelines.processing import channel_name
from infra.pipelines.references import Get, Join, JsonGet, Reference
from monitoring.contract import BASELINE_OUTPUT, CONSTRAINTS_FILE, STARTED_BY_PARAMETER, STATISTICS_FILE
from serving.contract import CSV, JSON, JSON_LINES
from training.contract import EVALUATION_FILE, EVALUATION_OUTPUT

MODEL_DATA: Final = Get.step(TRAIN_STEP, "ModelArtifacts.S3ModelArtifacts")
BASELINE_URI: Final = Get.output(BASELINE_STEP, channel_name(BASELINE_OUTPUT))
EVALUATION_URI: Final = Join.of(Get.output(EVALUATE_STEP, channel_name(EVALUATION_OUTPUT)), EVALUATION_FILE)


def request(model: ModelConfig, names: ModelNames, serving_image: str) -> dict[str, Any]:
    """The CreateModelPackage request: a new version in the model's group, waiting for a person's approval."""
    return {
        "ModelPackageGroupName": names.base,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": serving_image, "ModelDataUrl": MODEL_DATA}],
            "SupportedContentTypes": [CSV, JSON, JSON_LINES],
            "SupportedResponseMIMETypes": [CSV, JSON, JSON_LINES],
            **_instance_types(model.endpoint),
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": _json_file(EVALUATION_URI)},
            "ModelDataQuality": {
                "Statistics": _json_file(Join.of(BASELINE_URI, STATISTICS_FILE)),
                "Constraints": _json_file(Join.of(BASELINE_URI, CONSTRAINTS_FILE)),
            },
        },
        "CustomerMetadataProperties": _properties(model.training.gate.metric),
    }


def _instance_types(settings: EndpointConfig) -> dict[str, list[str]]:
    """What the model was meant to be served on; a serverless endpoint has no instances."""
    if isinstance(settings, ServerlessEndpointConfig):
        return {}
    if isinstance(settings, BatchTransformConfig):
        return {"SupportedTransformInstanceTypes": [settings.instance_type]}
    return {"SupportedRealtimeInferenceInstanceTypes": [settings.instance_type]}


def _properties(metric: str) -> dict[str, Reference]:
    return {
        "baseline_uri": BASELINE_URI,
        "evaluation_uri": EVALUATION_URI,
        "trained_on": JsonGet.of(PREPARE_STEP, PREPARED, "trained_on"),
        "data_fingerprint": JsonGet.of(PREPARE_STEP, PREPARED, "data_fingerprint"),
        "started_by": Get.parameter(STARTED_BY_PARAMETER),
        "execution_id": Get.execution("PipelineExecutionId"),
        metric: Join.of(JsonGet.of(EVALUATE_STEP, EVALUATION, f"metrics.{metric}"), on=""),
    }


def _json_file(uri: Reference) -> dict[str, Any]:
    return {"ContentType": JSON, "S3Uri": uri}
