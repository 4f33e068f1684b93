"""What a change does to those who call the model, and to what is stored."""

from enum import IntEnum
from typing import Final

from infra.plan.document import ResourceChange

HOLDS_DATA: Final = frozenset(
    {
        *("aws_dynamodb_table", "aws_ecr_repository", "aws_kms_key"),
        *("aws_s3_bucket", "aws_sagemaker_model_package_group"),
    }
)
AUTOMATION: Final = frozenset(
    {
        *("aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_lambda_function"),
        *("aws_sagemaker_pipeline", "aws_scheduler_schedule"),
        *("aws_route_table", "aws_route_table_association", "aws_security_group", "aws_subnet"),
        *("aws_vpc", "aws_vpc_endpoint", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"),
    }
)
"""A network too: what serves in it goes on, but no job and no new instance gets its files without a way to them."""
ENDPOINT: Final = "aws_sagemaker_endpoint"
SCALING: Final = frozenset({"aws_appautoscaling_policy", "aws_appautoscaling_target"})


class Effect(IntEnum):
    """Downtime classes, the worst last."""

    NONE = 0
    PAUSE = 1
    CAPACITY = 2
    SHIFT = 3
    OUTAGE = 4
    DATA_LOSS = 5


TOLD: Final = {
    Effect.NONE: "no downtime",
    Effect.PAUSE: "no downtime; what runs by itself (retraining, monitoring) pauses while it is made anew",
    Effect.CAPACITY: "no downtime; the number of instances may change",
    Effect.SHIFT: "no downtime; traffic moves to a new endpoint configuration, and back if an alarm is raised",
    Effect.OUTAGE: "OUTAGE: requests fail from the deletion until a new endpoint is in service",
    Effect.DATA_LOSS: "DATA LOSS: what is stored is deleted",
}


def effect(resource: ResourceChange) -> Effect:
    """The downtime class of one change."""
    change = resource.change
    deleted = "delete" in change.actions
    if resource.type in HOLDS_DATA and deleted:
        return Effect.DATA_LOSS
    if resource.type == ENDPOINT:
        return _of_endpoint(resource, deleted=deleted)
    if resource.type in SCALING and change.actions != ("create",):
        return Effect.CAPACITY
    if resource.type in AUTOMATION and deleted:
        return Effect.PAUSE
    return Effect.NONE


def _of_endpoint(resource: ResourceChange, *, deleted: bool) -> Effect:
    if deleted:
        return Effect.OUTAGE
    before, after = resource.change.before or {}, resource.change.after or {}
    moved = before.get("endpoint_config_name") != after.get("endpoint_config_name")
    return Effect.SHIFT if "update" in resource.change.actions and moved else Effect.NONE
