"""The scheduled drift job: the request that EventBridge Scheduler sends to SageMaker when a window has ended."""

from typing import Any

from infra.config import ModelConfig
from infra.naming import ModelNames
from infra.pipelines.job_spec import drift_spec
from infra.pipelines.processing import Machine, Uri, VpcConfig
from infra.pipelines.scheduled import MAX_RUNTIME_SECONDS, monitoring_job
from monitoring.contract import BASELINE_INPUT, DRIFT_COMMAND, MODEL_INPUT


def drift_job(
    model: ModelConfig,
    names: ModelNames,
    *,
    image: str,
    role_arn: str,
    baseline_uri: str,
    model_uri: str,
    kms_key: str | None,
    vpc_config: VpcConfig | None = None,
    baseline_version: int | None = None,
) -> dict[str, Any]:
    """The CreateProcessingJob request, with the scheduler's context attributes in place of what only it knows.

    `baseline_version` is the model package version that the baseline belongs to; the report names it. The model's
    archive is an input only where its answers are to be explained.

    Raises:
        ValueError: drift monitoring is turned off for this model.
        InvalidDefinition: SageMaker would refuse the request.
    """
    spec = drift_spec(model, names, baseline_version)
    drift = model.monitoring.drift
    assert drift is not None  # noqa: S101 - drift_spec has just refused it
    inputs: dict[str, Uri] = {BASELINE_INPUT: baseline_uri}
    if model.monitoring.explanations is not None:
        inputs[MODEL_INPUT] = model_uri
    return monitoring_job(
        model.name,
        DRIFT_COMMAND,
        Machine(drift.instance, role_arn, kms_key, MAX_RUNTIME_SECONDS, vpc_config),
        image=image,
        spec=spec,
        inputs=inputs,
        reports_uri=names.drift_reports_uri,
    )
