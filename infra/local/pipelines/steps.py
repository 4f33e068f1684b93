"""One step of a pipeline execution, run through SageMaker's own operations."""

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError, ParamValidationError

from infra.local.cloud import LocalCloud
from infra.local.pipelines.execution import Execution, StepRun
from infra.local.pipelines.values import Unresolvable, Values
from infra.pipelines.steps import ConditionStep, FailStep, JobStep, RegisterModelStep, RetryPolicy

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.1
MAX_JOB_NAME: Final = 63
_SERVER_ERROR: Final = 500
_FAULTS: Final = {
    "InternalServerError": "SageMaker.JOB_INTERNAL_ERROR",
    "CapacityError": "SageMaker.CAPACITY_ERROR",
}
"""What a job's FailureReason starts with, by the exception that a retry policy names."""


class StepFailed(Exception):  # noqa: N818 - what happened
    """A step came to a bad end; `fault` is the exception that a retry policy may name."""

    def __init__(self, reason: str, fault: str | None = None) -> None:
        super().__init__(reason)
        self.fault = fault


class StepStopped(Exception):  # noqa: N818 - what happened
    """A step ended because the execution is being stopped."""


@dataclass(frozen=True)
class _JobKind:
    noun: str
    create: str
    describe: str
    stop: str

    @classmethod
    def of(cls, kind: str) -> "_JobKind":
        return cls(f"{kind.title()}Job", f"create_{kind}_job", f"describe_{kind}_job", f"stop_{kind}_job")


_JOBS: Final = {"Processing": _JobKind.of("processing"), "Training": _JobKind.of("training")}


class StepRunner:
    """Runs the steps of one execution; several may run at once, each in a thread of its own."""

    def __init__(self, cloud: LocalCloud, execution: Execution) -> None:
        self._cloud = cloud
        self._execution = execution
        self._values = Values(execution)
        self._sagemaker = execution.start.role.client("sagemaker")

    def run(self, run: StepRun) -> None:
        """Run a step to its end, whatever that is, and note it."""
        status, reason = "Succeeded", None
        try:
            self._attempt(run)
        except StepStopped:
            status = "Stopped"
        except (StepFailed, Unresolvable) as error:
            status, reason = "Failed", str(error)
        except Exception as error:  # a walk must come to its end, whatever happens on the way
            log.exception("step %s of %s failed", run.step.name, self._execution.start.arn)
            status, reason = "Failed", f"InternalServerError: {error!r}"
        self._execution.end_step(run, status, self._cloud.clock.now(), reason)

    def _attempt(self, run: StepRun) -> None:
        tries: dict[RetryPolicy, int] = {}
        while True:
            run.attempts += 1
            try:
                return self._once(run)
            except StepFailed as failure:
                policy = _policy(run.step, failure)
                if policy is None or self._used_up(policy, tries.get(policy, 0), run.start_time):
                    raise
                self._wait(policy.interval_seconds * policy.backoff_rate ** tries.get(policy, 0))
                tries[policy] = tries.get(policy, 0) + 1

    def _used_up(self, policy: RetryPolicy, tries: int, begun: datetime) -> bool:
        minutes = (self._cloud.clock.now() - begun) / timedelta(minutes=1)
        too_often = policy.max_attempts is not None and tries >= policy.max_attempts
        return too_often or (policy.expire_after_min is not None and minutes >= policy.expire_after_min)

    def _once(self, run: StepRun) -> None:
        match run.step:
            case ConditionStep() as step:
                run.outcome = all(map(self._values.holds, step.arguments.conditions))
                run.metadata = {"Condition": {"Outcome": str(run.outcome)}}
            case FailStep() as step:
                message = str(self._values.resolve(step.arguments.error_message))
                run.metadata = {"Fail": {"ErrorMessage": message}}
                raise StepFailed(message)
            case RegisterModelStep() as step:
                self._register(run, self._values.resolve(step.arguments))
            case step:
                self._run_job(run, _JOBS[step.type], self._values.resolve(step.arguments))

    def _register(self, run: StepRun, request: dict[str, Any]) -> None:
        arn = self._call("create_model_package", **request)["ModelPackageArn"]
        run.metadata = {"RegisterModel": {"Arn": arn}}
        run.properties = self._call("describe_model_package", ModelPackageName=arn)

    def _run_job(self, run: StepRun, kind: _JobKind, request: dict[str, Any]) -> None:
        name = self._job_name(run.step.name)
        arn = self._call(kind.create, **request, **{f"{kind.noun}Name": name})[f"{kind.noun}Arn"]
        run.metadata = {kind.noun: {"Arn": arn}}
        run.properties = self._wait_for_job(kind, {f"{kind.noun}Name": name})
        status = run.properties[f"{kind.noun}Status"]
        if status == "Stopped" and self._execution.stop_requested.is_set():
            raise StepStopped
        if status != "Completed":
            reason = run.properties.get("FailureReason", f"The job ended as {status}.")
            raise StepFailed(reason, _FAULTS.get(reason.split(":", 1)[0]))

    def _wait_for_job(self, kind: _JobKind, name: dict[str, str]) -> dict[str, Any]:
        told_to_stop = False
        while True:
            job = self._call(kind.describe, **name)
            if job[f"{kind.noun}Status"] in ("Completed", "Failed", "Stopped"):
                return job
            if self._execution.stop_requested.is_set() and not told_to_stop:
                told_to_stop = True
                self._stop(kind, name)
            time.sleep(POLL_SECONDS)

    def _stop(self, kind: _JobKind, name: dict[str, str]) -> None:
        try:
            self._call(kind.stop, **name)
        except StepFailed:
            return  # It has ended meanwhile.

    def _job_name(self, step: str) -> str:
        prefix, suffix = f"pipelines-{self._execution.id}-", f"-{secrets.token_hex(5)}"
        return f"{prefix}{step[: MAX_JOB_NAME - len(prefix) - len(suffix)].rstrip('-')}{suffix}"

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a request
        try:
            answer: dict[str, Any] = getattr(self._sagemaker, operation)(**request)
        except ClientError as error:
            name = self._sagemaker.meta.method_to_api_mapping[operation]
            reason = (
                f"ClientError: Failed to invoke sagemaker:{name}. Error Details: {error.response['Error']['Message']}"
            )
            raise StepFailed(reason, _fault(error)) from error
        except ParamValidationError as error:
            raise StepFailed(f"ClientError: {error}") from error
        return answer

    def _wait(self, seconds: float) -> None:
        if self._execution.stop_requested.wait(seconds):
            raise StepStopped


def _policy(step: object, failure: StepFailed) -> RetryPolicy | None:
    policies = (step.retry_policies or ()) if isinstance(step, JobStep) else ()
    return next((policy for policy in policies if failure.fault in policy.exception_type), None)


def _fault(error: ClientError) -> str | None:
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    if "Throttling" in code:
        return "Step.THROTTLING"
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    return "Step.SERVICE_FAULT" if status >= _SERVER_ERROR else None
