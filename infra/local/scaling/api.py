"""Application Auto Scaling that acts: policies and schedules move the capacity of an endpoint's variants.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/what-is-application-auto-scaling.html
"""

import re
import sys
from collections import defaultdict
from importlib import import_module
from types import ModuleType
from typing import Any

if "moto.ecs" not in sys.modules:
    # moto imports ECS, and with it EC2's catalogues, to look a scaled ECS service up: 1.1 s and 70 MB at every start,
    # for services that the local cloud does not offer. It gets one without services while it is imported.
    sys.modules["moto.ecs"] = ModuleType("moto.ecs")
    sys.modules["moto.ecs"].ecs_backends = defaultdict(lambda: defaultdict(lambda: None))  # type: ignore[attr-defined]
    import_module("moto.applicationautoscaling.models")
    del sys.modules["moto.ecs"]

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from infra.local.cloud import LocalCloud
from infra.local.operations import Operation, replace
from infra.local.scaling.operations import Operations
from infra.local.scaling.scheduled_operations import ScheduledOperations
from infra.local.scaling.tagging import Tagging
from infra.local.scaling.target import DIMENSION, NAMESPACE
from infra.local.validation import Json, UnsupportedOperation, ValidationException

RESOURCE_ID = re.compile(r"endpoint/[^/]+/variant/[^/]+")


def install(cloud: LocalCloud) -> None:
    """Answer every operation in moto's place."""
    on = Operations(cloud)
    scheduled, tagging = ScheduledOperations(cloud, on.registry, on.reactions), Tagging(on.registry)
    init = ApplicationAutoScalingResponse.__init__

    def parsing(response: Any) -> None:  # noqa: ANN401 - moto's response object
        init(response)
        response.automated_parameter_parsing = True

    ApplicationAutoScalingResponse.__init__ = parsing
    operations: dict[str, Operation] = {
        "RegisterScalableTarget": on.register_scalable_target,
        "DeregisterScalableTarget": on.deregister_scalable_target,
        "DescribeScalableTargets": on.describe_scalable_targets,
        "PutScalingPolicy": on.put_scaling_policy,
        "DeleteScalingPolicy": on.delete_scaling_policy,
        "DescribeScalingPolicies": on.describe_scaling_policies,
        "DescribeScalingActivities": on.describe_scaling_activities,
        "PutScheduledAction": scheduled.put,
        "DeleteScheduledAction": scheduled.delete,
        "DescribeScheduledActions": scheduled.describe,
        "ListTagsForResource": tagging.list_tags,
        "TagResource": tagging.tag,
        "UntagResource": tagging.untag,
    }
    service = "application-autoscaling"
    replace(ApplicationAutoScalingResponse, service, {name: _of_variants(do) for name, do in operations.items()})


def _of_variants(operation: Operation) -> Operation:
    def checked(request: Json) -> Json | None:
        if request.get("ServiceNamespace", NAMESPACE) != NAMESPACE:
            raise UnsupportedOperation(f"ServiceNamespace {request['ServiceNamespace']}; use {NAMESPACE}")
        if request.get("ScalableDimension", DIMENSION) != DIMENSION:
            raise UnsupportedOperation(f"ScalableDimension {request['ScalableDimension']}; use {DIMENSION}")
        if "ResourceId" in request and not RESOURCE_ID.fullmatch(request["ResourceId"]):
            raise ValidationException("Unsupported service namespace, resource type or scalable dimension")
        return operation(request)

    return checked
