"""Requests that EventBridge Scheduler sends: it fills in what only the moment knows."""

import json
from typing import Any, Final

from infra.pipelines.job_spec import monitoring_environment
from infra.pipelines.processing import Machine, Uri, processing_request
from infra.pipelines.references import as_json
from infra.pipelines.validator import check_request
from monitoring.contract import REPORT_OUTPUT, WINDOW_END_VARIABLE

SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"
EXECUTION_ID: Final = "<aws.scheduler.execution-id>"
"""EventBridge Scheduler fills both in at each invocation.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""
_EXAMPLES: Final = {SCHEDULED_TIME: "2013-05-01T06:00:00Z", EXECUTION_ID: "00000000-0000-0000-0000-000000000000"}
_LONGEST_NAME: Final = 63
MAX_RUNTIME_SECONDS: Final = 3600
"""A monitoring job that runs longer is stopped."""


def job_name(model: str, what: str) -> str:
    """A job's name, new at each invocation, with as much of the model's as there is room for."""
    room = _LONGEST_NAME - len(f"-{what}-{_EXAMPLES[EXECUTION_ID]}")
    return f"{model[:room].rstrip('-')}-{what}-{EXECUTION_ID}"


def any_invocation(name: str) -> str:
    """The names that `job_name` may become, as policies write them."""
    return name.replace(EXECUTION_ID, "*")


def monitoring_job(
    model: str,
    command: str,
    machine: Machine,
    *,
    image: str,
    spec: dict[str, Any],
    inputs: dict[str, Uri],
    reports_uri: str,
) -> dict[str, Any]:
    """A CreateProcessingJob request of the monitoring image, to be sent whenever a window has ended.

    The job lists captured files and publishes metrics itself, so it has a network; its report gets a folder of its own.

    Raises:
        InvalidDefinition: SageMaker would refuse the request.
    """
    request: dict[str, Any] = as_json(
        {
            "ProcessingJobName": job_name(model, command),
            **processing_request(
                machine,
                image=image,
                command=command,
                environment={**monitoring_environment(spec), WINDOW_END_VARIABLE: SCHEDULED_TIME},
                inputs=inputs,
                outputs={REPORT_OUTPUT: f"{reports_uri}/{SCHEDULED_TIME}"},
                isolated=False,
            ),
        }
    )
    check_request("CreateProcessingJob", filled_in(request))
    return request


def filled_in(request: dict[str, Any]) -> dict[str, Any]:
    """The request as SageMaker might get it, to be checked."""
    text = json.dumps(request)
    for attribute, example in _EXAMPLES.items():
        text = text.replace(attribute, example)
    filled: dict[str, Any] = json.loads(text)
    return filled
