"""The state of one pipeline execution: its parameters, its steps, and what SageMaker's operations tell of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from infra.local.execution_role import ExecutionRole
from infra.local.jobs.job import present
from infra.local.pipelines.parameters import Scalar
from infra.local.validation import Json
from infra.pipelines import PipelineDefinition
from infra.pipelines.steps import Step

MAX_REASON: Final = 1024
MAX_EXECUTION_REASON: Final = 1300


@dataclass
class StepRun:
    """What became of one step."""

    step: Step
    start_time: datetime
    status: str = "Executing"
    end_time: datetime | None = None
    failure_reason: str | None = None
    metadata: Json = field(default_factory=dict)
    attempts: int = 0
    properties: Json = field(default_factory=dict)
    """What its Describe operation answered: what `Steps.<name>.…` refers to."""
    outcome: bool | None = None
    """A condition's."""

    def describe(self) -> Json:
        """Its row in ListPipelineExecutionSteps."""
        return present(
            StepName=self.step.name,
            StepDisplayName=self.step.display_name,
            StepDescription=self.step.description,
            StartTime=self.start_time,
            EndTime=self.end_time,
            StepStatus=self.status,
            FailureReason=self.failure_reason,
            Metadata=self.metadata or None,
            AttemptCount=self.attempts,
        )


@dataclass(frozen=True)
class Start:
    """What StartPipelineExecution was given."""

    arn: str
    pipeline_name: str
    pipeline_arn: str
    role: ExecutionRole
    text: str
    definition: PipelineDefinition
    parameters: dict[str, Scalar]
    """The value of every parameter, defaults included."""
    display_name: str
    description: str | None
    parallelism: int
    created: datetime


class Execution:
    """One execution, which the walk changes while operations look at it."""

    def __init__(self, start: Start, changed: Callable[["Execution", str | None, StepRun | None], None]) -> None:
        """`changed` is told, outside the lock, of each change of status with the status before it."""
        self.start = start
        self.status = "Executing"
        self.failure_reason: str | None = None
        self.last_modified = start.created
        self.ended: datetime | None = None
        self.runs: dict[str, StepRun] = {}
        self.stop_requested = threading.Event()
        self._changed = changed
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """The last part of the ARN: what `Execution.PipelineExecutionId` refers to."""
        return self.start.arn.rsplit("/", 1)[-1]

    @property
    def properties(self) -> dict[str, str]:
        """What `Execution.…` refers to."""
        return {
            "CurrentDateTime": self.last_modified.isoformat(),
            "PipelineArn": self.start.pipeline_arn,
            "PipelineExecutionArn": self.start.arn,
            "PipelineExecutionId": self.id,
            "PipelineName": self.start.pipeline_name,
            "StartDateTime": self.start.created.isoformat(),
        }

    def ready(self) -> list[Step]:
        """Steps whose turn it is: everything they wait for has succeeded, and their branch was chosen."""
        with self._lock:
            waits, steps = self.start.definition.graph(), self.start.definition.all_steps()
            return [step for name, step in steps.items() if name not in self.runs and self._may_run(name, waits[name])]

    def failed_runs(self) -> list[StepRun]:
        """The steps that failed."""
        with self._lock:
            return [run for run in self.runs.values() if run.status == "Failed"]

    def begin_step(self, step: Step, now: datetime) -> StepRun:
        """Note that a step has begun."""
        with self._lock:
            run = self.runs[step.name] = StepRun(step, now)
        self._changed(self, "Starting", run)
        return run

    def end_step(self, run: StepRun, status: str, now: datetime, reason: str | None = None) -> None:
        """Note that a step has ended."""
        with self._lock:
            before, run.status, run.end_time = run.status, status, now
            run.failure_reason = reason[:MAX_REASON] if reason else None
        self._changed(self, before, run)

    def request_stop(self, now: datetime) -> bool:
        """Have the execution stop soon; False if it has ended."""
        with self._lock:
            if self.status != "Executing":
                return self.status == "Stopping"
            self.status, self.last_modified = "Stopping", now
        self.stop_requested.set()
        self._changed(self, "Executing", None)
        return True

    def end(self, now: datetime) -> None:
        """Note that no step is running and none will: the execution has succeeded, failed, or was stopped."""
        failed = self.failed_runs()
        with self._lock:
            before = self.status
            self.status = "Failed" if failed else "Stopped" if self.stop_requested.is_set() else "Succeeded"
            self.failure_reason = _reason(failed)
            self.last_modified = self.ended = now
        self._changed(self, before, None)

    def retry(self, now: datetime) -> bool:
        """Forget the steps that did not succeed, so that they can run again; False if there is nothing to retry."""
        with self._lock:
            if self.status not in ("Failed", "Stopped"):
                return False
            before, self.status = self.status, "Executing"
            self.runs = {name: run for name, run in self.runs.items() if run.status == "Succeeded"}
            self.failure_reason, self.ended, self.last_modified = None, None, now
            self.stop_requested.clear()
        self._changed(self, before, None)
        return True

    def _may_run(self, name: str, waits: set[str]) -> bool:
        runs = [self.runs.get(other) for other in waits]
        return all(run is not None and run.status == "Succeeded" and _chosen(run, name) for run in runs)


def describe(execution: Execution) -> Json:
    """The answer of DescribePipelineExecution."""
    start = execution.start
    return present(
        PipelineArn=start.pipeline_arn,
        PipelineExecutionArn=start.arn,
        PipelineExecutionDisplayName=start.display_name,
        PipelineExecutionStatus=execution.status,
        PipelineExecutionDescription=start.description,
        FailureReason=execution.failure_reason,
        CreationTime=start.created,
        LastModifiedTime=execution.last_modified,
        ParallelismConfiguration={"MaxParallelExecutionSteps": start.parallelism},
    )


def summary(execution: Execution) -> Json:
    """Its row in ListPipelineExecutions."""
    start = execution.start
    return present(
        PipelineExecutionArn=start.arn,
        StartTime=start.created,
        PipelineExecutionStatus=execution.status,
        PipelineExecutionDescription=start.description,
        PipelineExecutionDisplayName=start.display_name,
        PipelineExecutionFailureReason=execution.failure_reason,
    )


def _chosen(run: StepRun, name: str) -> bool:
    """Whether a step may follow `run`: always, unless `run` is a condition with it in the branch not taken."""
    if run.step.type != "Condition" or run.outcome is None:
        return True
    return name not in {step.name for step in run.step.branch(not run.outcome)}


def _reason(failed: list[StepRun]) -> str | None:
    if not failed:
        return None
    told = "; ".join(f"{run.step.name}: {run.failure_reason}" for run in failed)
    return f"Step failure: One or multiple steps failed. {told}"[:MAX_EXECUTION_REASON]
