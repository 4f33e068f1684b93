"""The scheduled quality job: a window's answers held against their labels, once these have had time to come."""

from typing import Any

from infra.config import ModelConfig, Release
from infra.naming import ModelNames
from infra.pipelines.job_spec import quality_spec
from infra.pipelines.processing import Machine, VpcConfig
from infra.pipelines.scheduled import MAX_RUNTIME_SECONDS, monitoring_job
from monitoring.contract import QUALITY_COMMAND


def quality_job(
    model: ModelConfig,
    names: ModelNames,
    *,
    image: str,
    role_arn: str,
    release: Release,
    kms_key: str | None,
    vpc_config: VpcConfig | None = None,
) -> dict[str, Any]:
    """The CreateProcessingJob request, as of the drift job; `release` is what is live, and what labels are said of.

    Raises:
        ValueError: quality monitoring is turned off for this model.
        InvalidDefinition: SageMaker would refuse the request.
    """
    spec = quality_spec(model, names, release)
    quality = model.monitoring.quality
    assert quality is not None  # noqa: S101 - quality_spec has just refused it
    return monitoring_job(
        model.name,
        QUALITY_COMMAND,
        Machine(quality.instance, role_arn, kms_key, MAX_RUNTIME_SECONDS, vpc_config),
        image=image,
        spec=spec,
        inputs={},
        reports_uri=names.quality_reports_uri,
    )
