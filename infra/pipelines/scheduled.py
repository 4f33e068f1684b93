"""Requests that EventBridge Scheduler sends: it fills in what only the moment knows."""

import json
from typing import Any, Final

SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"
EXECUTION_ID: Final = "<aws.scheduler.execution-id>"
"""EventBridge Scheduler fills both in at each invocation.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""
_EXAMPLES: Final = {SCHEDULED_TIME: "2013-05-01T06:00:00Z", EXECUTION_ID: "00000000-0000-0000-0000-000000000000"}
_MAX_MODEL: Final = 20
"""Characters of the model's name in the job's: 63, less `-drift-`, less an execution id."""


def job_name(model: str, what: str) -> str:
    """A job's name, new at each invocation; `what` has five characters at most."""
    return f"{model[:_MAX_MODEL].rstrip('-')}-{what}-{EXECUTION_ID}"


def filled_in(request: dict[str, Any]) -> dict[str, Any]:
    """The request as SageMaker might get it, to be checked."""
    text = json.dumps(request)
    for attribute, example in _EXAMPLES.items():
        text = text.replace(attribute, example)
    filled: dict[str, Any] = json.loads(text)
    return filled
