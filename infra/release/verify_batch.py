"""Is the batch transform that was deployed the one that is scheduled?"""

import json
from collections.abc import Iterator
from typing import Any

from infra.config import EnvironmentConfig, Release
from infra.release.intended_batch import IntendedBatch, leaves
from infra.release.verify import Difference, approval, found
from infra.session import client


def batch_differences(environment: EnvironmentConfig, intended: IntendedBatch, release: Release) -> list[Difference]:
    """Every way in which what is scheduled differs from what is intended; empty when it is as declared.

    Args:
        environment: where to look.
        intended: the batch transform as declared.
        release: what the release lock names as current.
    """
    schedule = found(client(environment, "scheduler").get_schedule, Name=intended.schedule)
    if schedule is None:
        return [("schedule", intended.schedule, "does not exist")]
    sagemaker = client(environment, "sagemaker")
    request = json.loads(schedule["Target"]["Input"])
    pairs: list[Difference] = [
        ("schedule", "ENABLED", schedule["State"]),
        ("schedule expression", intended.expression, schedule["ScheduleExpression"]),
        *_requested(intended, dict(leaves(request))),
        *_model(sagemaker, request["ModelName"], intended),
        ("model package", "Approved", approval(sagemaker, release)),
        ("rule of failed jobs", "ENABLED", _rule(environment, intended.rule)),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _requested(intended: IntendedBatch, live: dict[str, object]) -> Iterator[Difference]:
    for name, declared in intended.request.items():
        yield f"request's {name}", declared, live.get(name, "none")


def _model(sagemaker: Any, name: str, intended: IntendedBatch) -> Iterator[Difference]:  # noqa: ANN401 - a boto3 client
    model = found(sagemaker.describe_model, ModelName=name)
    if model is None:
        yield "model", intended.configuration, f"{name}, which does not exist any more"
        return
    container = model["PrimaryContainer"]
    yield "image", intended.image, container["Image"]
    yield "model data", intended.model_data, container.get("ModelDataUrl")


def _rule(environment: EnvironmentConfig, name: str) -> str:
    rule = found(client(environment, "events").describe_rule, Name=name)
    return "does not exist" if rule is None else str(rule["State"])
