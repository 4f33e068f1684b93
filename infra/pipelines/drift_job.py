"""The scheduled drift job: the request that EventBridge Scheduler sends to SageMaker when a window has ended."""

from typing import Any, Final

from infra.config import ModelConfig
from infra.naming import ModelNames
from infra.pipelines.job_spec import drift_spec, monitoring_environment
from infra.pipelines.processing import Machine, processing_request
from infra.pipelines.references import as_json
from infra.pipelines.scheduled import SCHEDULED_TIME, filled_in, job_name
from infra.pipelines.validator import check_request
from monitoring.contract import BASELINE_INPUT, DRIFT_COMMAND, REPORT_OUTPUT, WINDOW_END_VARIABLE

_MAX_RUNTIME_SECONDS: Final = 3600


def drift_job(
    model: ModelConfig,
    names: ModelNames,
    *,
    image: str,
    role_arn: str,
    baseline_uri: str,
    kms_key: str | None,
    baseline_version: int | None = None,
) -> dict[str, Any]:
    """The CreateProcessingJob request, with the scheduler's context attributes in place of what only it knows.

    `baseline_version` is the model package version that the baseline belongs to; the report names it. The job lists
    captured files and publishes metrics itself, so it is the one job with a network.

    Raises:
        ValueError: drift monitoring is turned off for this model.
        InvalidDefinition: SageMaker would refuse the request.
    """
    spec = drift_spec(model, names, baseline_version)
    drift = model.monitoring.drift
    assert drift is not None  # noqa: S101 - drift_spec has just refused it
    machine = Machine(drift.instance, role_arn, kms_key, _MAX_RUNTIME_SECONDS)
    request: dict[str, Any] = as_json(
        {
            "ProcessingJobName": job_name(model.name, "drift"),
            **processing_request(
                machine,
                image=image,
                command=DRIFT_COMMAND,
                environment={**monitoring_environment(spec), WINDOW_END_VARIABLE: SCHEDULED_TIME},
                inputs={BASELINE_INPUT: baseline_uri},
                outputs={REPORT_OUTPUT: f"{names.drift_reports_uri}/{SCHEDULED_TIME}"},
                isolated=False,
            ),
        }
    )
    check_request("CreateProcessingJob", filled_in(request))
    return request
