"""What EventBridge is told of pipeline executions and their steps.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from datetime import datetime
from typing import Final

from infra.local.cloud import LocalCloud
from infra.local.jobs.job import present
from infra.local.pipelines.execution import Execution, StepRun
from infra.local.validation import Json

EXECUTION_EVENT: Final = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT: Final = "SageMaker Model Building Pipeline Execution Step Status Change"


def emit(cloud: LocalCloud, execution: Execution, before: str | None, run: StepRun | None) -> None:
    """Tell that the status of `execution`, or of its step `run`, is no longer `before`."""
    start = execution.start
    detail_type, own = (
        (EXECUTION_EVENT, _execution(execution, before)) if run is None else (STEP_EVENT, _step(run, before))
    )
    detail = own | {"pipelineArn": start.pipeline_arn, "pipelineExecutionArn": start.arn}
    cloud.emit("aws.sagemaker", detail_type, detail, [start.pipeline_arn, start.arn])


def _execution(execution: Execution, before: str | None) -> Json:
    return present(
        pipelineExecutionDisplayName=execution.start.display_name,
        pipelineExecutionDescription=execution.start.description,
        currentPipelineExecutionStatus=execution.status,
        previousPipelineExecutionStatus=before,
        executionStartTime=_moment(execution.start.created),
        executionEndTime=_moment(execution.ended),
        failureReason=execution.failure_reason,
    )


def _step(run: StepRun, before: str | None) -> Json:
    return present(
        stepName=run.step.name,
        stepType=run.step.type,
        currentStepStatus=run.status,
        previousStepStatus=before,
        stepStartTime=_moment(run.start_time),
        stepEndTime=_moment(run.end_time),
        failureReason=run.failure_reason,
        metadata={_camel(kind): {_camel(k): v for k, v in members.items()} for kind, members in run.metadata.items()},
    )


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
