"""SageMaker's operations on pipeline executions."""

import secrets
import string
import threading
from functools import partial
from typing import Final

from moto.sagemaker.exceptions import ConflictException, ResourceNotFound
from moto.sagemaker.models import FakePipeline, sagemaker_backends

from infra.local.cloud import LocalCloud
from infra.local.execution_role import ExecutionRole
from infra.local.jobs.job import require
from infra.local.operations import Operation
from infra.local.pipelines import events as pipeline_events
from infra.local.pipelines import parameters as pipeline_parameters
from infra.local.pipelines.execution import Execution, Start, describe, summary
from infra.local.pipelines.walk import walk
from infra.local.validation import Json, ValidationException
from infra.pipelines import PipelineDefinition

DEFAULT_PARALLELISM: Final = 50
DEFAULT_PAGE: Final = 100
_ID_CHARACTERS: Final = string.ascii_lowercase + string.digits
_ID_LENGTH: Final = 12


class PipelineStore:
    """The pipelines there are, in moto's own store, so that tags and ListPipelines find them."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._pipelines: dict[str, FakePipeline] = sagemaker_backends[cloud.account][cloud.region].pipelines

    def add(self, pipeline: FakePipeline) -> None:
        """Keep a new pipeline.

        Raises:
            ConflictException: there is one of that name.
        """
        if self._pipelines.setdefault(pipeline.pipeline_name, pipeline) is not pipeline:
            raise ConflictException(
                f"Pipeline names must be unique within an AWS account and region. {pipeline.arn} exists already."
            )

    def find(self, name_or_arn: str) -> FakePipeline:
        """A pipeline by name or ARN.

        Raises:
            ResourceNotFound: there is none.
        """
        name = name_or_arn.rsplit("/", 1)[-1]
        if name not in self._pipelines:
            raise ResourceNotFound(f"Pipeline '{name}' does not exist.")
        return self._pipelines[name]

    def remove(self, pipeline: FakePipeline) -> None:
        """Forget a pipeline."""
        del self._pipelines[pipeline.pipeline_name]


class Executions:
    """Every execution since the local cloud started."""

    def __init__(self, cloud: LocalCloud, store: PipelineStore) -> None:
        self._cloud = cloud
        self._store = store
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str], tuple[Json, str]] = {}
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """By AWS's names."""
        return {
            "StartPipelineExecution": self.start,
            "StopPipelineExecution": self.stop,
            "RetryPipelineExecution": self.retry,
            "DescribePipelineExecution": lambda request: describe(self._find(request)),
            "DescribePipelineDefinitionForExecution": self.describe_definition,
            "ListPipelineExecutions": self.list,
            "ListPipelineExecutionSteps": self.list_steps,
            "ListPipelineParametersForExecution": self.list_parameters,
        }

    def running(self, pipeline: str) -> bool:
        """Whether an execution of the pipeline is under way."""
        return any(execution.ended is None for execution in self._of(pipeline))

    def forget(self, pipeline: str) -> None:
        """Drop the executions of a pipeline that is being deleted."""
        with self._lock:
            for execution in self._of(pipeline):
                del self._executions[execution.start.arn]
            self._tokens = {key: value for key, value in self._tokens.items() if key[0] != pipeline}

    def start(self, request: Json) -> Json:
        """Begin an execution; the same ClientRequestToken gives the execution that it began before."""
        for member in ("SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias", "MlflowExperimentName"):
            require(member not in request, f"pipeline executions with {member}")
        pipeline = self._store.find(request["PipelineName"])
        key = (pipeline.pipeline_name, request["ClientRequestToken"])
        with self._lock:
            if key in self._tokens:
                return {"PipelineExecutionArn": _same(request, *self._tokens[key])}
            execution = Execution(self._new(pipeline, request), partial(pipeline_events.emit, self._cloud))
            self._executions[execution.start.arn] = execution
            self._tokens[key] = (request, execution.start.arn)
        pipeline.last_execution_time = execution.start.created
        pipeline_events.emit(self._cloud, execution, None, None)
        self._walk(execution)
        return {"PipelineExecutionArn": execution.start.arn}

    def stop(self, request: Json) -> Json:
        """Begin to stop an execution."""
        execution = self._find(request)
        if not execution.request_stop(self._cloud.clock.now()):
            raise ConflictException(f"{execution.start.arn} cannot be stopped: it is {execution.status}.")
        return {"PipelineExecutionArn": execution.start.arn}

    def retry(self, request: Json) -> Json:
        """Run an execution again from the steps that did not succeed."""
        execution = self._find(request)
        if not execution.retry(self._cloud.clock.now()):
            raise ConflictException(f"{execution.start.arn} cannot be retried: it is {execution.status}.")
        self._walk(execution)
        return {"PipelineExecutionArn": execution.start.arn}

    def describe_definition(self, request: Json) -> Json:
        """The definition an execution began with."""
        start = self._find(request).start
        return {"PipelineDefinition": start.text, "CreationTime": start.created}

    def list(self, request: Json) -> Json:
        """A pipeline's executions, the newest first."""
        found = [
            execution
            for execution in self._of(self._store.find(request["PipelineName"]).pipeline_name)
            if request.get("CreatedAfter", execution.start.created) <= execution.start.created
            and request.get("CreatedBefore", execution.start.created) >= execution.start.created
        ]
        by_arn = request.get("SortBy") == "PipelineExecutionArn"
        found.sort(key=lambda execution: execution.start.arn if by_arn else execution.start.created.isoformat())
        rows, token = _page([summary(execution) for execution in found], request)
        return {"PipelineExecutionSummaries": rows, "NextToken": token}

    def list_steps(self, request: Json) -> Json:
        """The steps that have begun, the last begun first."""
        require("PipelineExecutionArn" in request, "ListPipelineExecutionSteps without an execution")
        rows, token = _page([run.describe() for run in list(self._find(request).runs.values())], request)
        return {"PipelineExecutionSteps": rows, "NextToken": token}

    def list_parameters(self, request: Json) -> Json:
        """Every parameter's value, defaults included."""
        values = self._find(request).start.parameters
        rows = [{"Name": name, "Value": str(value)} for name, value in values.items()]
        page, token = _page(rows, {"SortOrder": "Ascending", **request})
        return {"PipelineParameters": page, "NextToken": token}

    def _new(self, pipeline: FakePipeline, request: Json) -> Start:
        definition = PipelineDefinition.parse(pipeline.pipeline_definition)
        given = {row["Name"]: row["Value"] for row in request.get("PipelineParameters", [])}
        identifier = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
        now = self._cloud.clock.now()
        parallelism = request.get("ParallelismConfiguration") or pipeline.parallelism_configuration or {}
        return Start(
            arn=f"{pipeline.arn}/execution/{identifier}",
            pipeline_name=pipeline.pipeline_name,
            pipeline_arn=pipeline.arn,
            role=ExecutionRole.assumed(self._cloud, pipeline.role_arn, pipeline.arn),
            text=pipeline.pipeline_definition,
            definition=definition,
            parameters=pipeline_parameters.values(definition, given),
            display_name=request.get("PipelineExecutionDisplayName", f"execution-{int(now.timestamp() * 1000)}"),
            description=request.get("PipelineExecutionDescription"),
            parallelism=parallelism.get("MaxParallelExecutionSteps", DEFAULT_PARALLELISM),
            created=now,
        )

    def _walk(self, execution: Execution) -> None:
        self._cloud.start(f"pipeline execution {execution.start.arn}", partial(walk, self._cloud, execution))

    def _of(self, pipeline: str) -> tuple[Execution, ...]:
        return tuple(e for e in list(self._executions.values()) if e.start.pipeline_name == pipeline)

    def _find(self, request: Json) -> Execution:
        arn = request["PipelineExecutionArn"]
        if arn not in self._executions:
            raise ResourceNotFound(f"Pipeline execution with ARN {arn} does not exist.")
        return self._executions[arn]


def _same(request: Json, before: Json, arn: str) -> str:
    if request != before:
        raise ConflictException("The ClientRequestToken was used before, with another request.")
    return arn


def _page(rows: list[Json], request: Json) -> tuple[list[Json], str | None]:
    """A page of rows that are in ascending order; descending unless asked otherwise."""
    if request.get("SortOrder", "Descending") == "Descending":
        rows.reverse()
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationException(f"Invalid NextToken: {token}")
    start = int(token)
    end = start + request.get("MaxResults", DEFAULT_PAGE)
    return rows[start:end], str(end) if end < len(rows) else None
