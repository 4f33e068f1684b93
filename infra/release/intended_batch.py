"""What ought to be live of a batch transform: its schedule, the request that it sends, and the model in that."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from infra.constructs.batch_transform import CREATE_TRANSFORM_JOB
from infra.release.stack import Resources, follow

UNKNOWN: Final = "${"
"""Begins what Terraform alone knows, such as the ARN of the platform's key."""


@dataclass(frozen=True)
class IntendedBatch:
    """The batch transform of one model as declared.

    Attributes:
        schedule: its name.
        expression: when it sends the request.
        request: the CreateTransformJob request, a leaf a member (`TransformInput.ContentType`); without those that
            only Terraform knows.
        configuration: the name of the model that answers, which is made of what it contains.
        image: the model's image.
        model_data: where the model is.
        rule: the name of the rule that tells of failed jobs.
        plan: digest of the stack's Terraform.
    """

    schedule: str
    expression: str
    request: dict[str, object]
    configuration: str
    image: str
    model_data: str
    rule: str
    plan: str


def read_batch(resources: Resources, plan: str) -> IntendedBatch:
    """The batch transform in a stack that has one."""
    schedules = resources["aws_scheduler_schedule"].values()
    schedule = next(one for one in schedules if one["target"]["arn"] == CREATE_TRANSFORM_JOB)
    request = json.loads(schedule["target"]["input"])
    model = follow(resources, request["ModelName"])
    container = model["primary_container"]
    return IntendedBatch(
        schedule=schedule["name"],
        expression=schedule["schedule_expression"],
        request=dict(leaves(request | {"ModelName": model["name"]})),
        configuration=model["name"],
        image=container["image"],
        model_data=container["model_data_url"],
        rule=next(rule["name"] for rule in resources["aws_cloudwatch_event_rule"].values() if _tells(rule)),
        plan=plan,
    )


def leaves(request: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Each value in a request, by its path; none that only Terraform knows."""
    for name, value in request.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{name}.")
        elif UNKNOWN not in str(value):
            yield f"{above}{name}", value


def _tells(rule: dict[str, Any]) -> bool:
    return "TransformJobStatus" in json.loads(rule.get("event_pattern", "{}")).get("detail", {})
