"""Application Auto Scaling's tags, without which Terraform can make no scalable target; and a quick import of it."""

import json
import sys
from collections import defaultdict
from importlib import import_module
from types import ModuleType, SimpleNamespace

from moto.core.exceptions import ServiceException

from infra.local.cloud import LocalCloud

if "moto.ecs" not in sys.modules:
    # moto imports ECS, and with it EC2's catalogues, to look a scaled ECS service up: 1.1 s and 70 MB at every start,
    # for services that the local cloud does not offer. It gets one without services while it is imported.
    sys.modules["moto.ecs"] = ModuleType("moto.ecs")
    sys.modules["moto.ecs"].ecs_backends = defaultdict(lambda: defaultdict(lambda: None))  # type: ignore[attr-defined]
    import_module("moto.applicationautoscaling.models")
    del sys.modules["moto.ecs"]

from moto.applicationautoscaling import models
from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

Tags = dict[str, str]


class ResourceNotFoundException(ServiceException):  # type: ignore[misc] # moto has no types to follow
    """There is no scalable target with that ARN."""

    code = "ResourceNotFoundException"


def install(cloud: LocalCloud) -> None:
    """Keep tags on moto's scalable targets, and the cloud's time."""
    models.time = SimpleNamespace(time=lambda: cloud.clock.now().timestamp())
    models.ApplicationAutoscalingBackend._ecs_service_exists_for_target = _refuse_ecs  # noqa: SLF001 - moto's method
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(response: ApplicationAutoScalingResponse) -> str:
        answer: str = register(response)
        if given := json.loads(response.body).get("Tags"):
            _tags(response, json.loads(answer)["ScalableTargetARN"]).update(given)
        return answer

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target
    for handler in (list_tags_for_resource, tag_resource, untag_resource):
        setattr(ApplicationAutoScalingResponse, handler.__name__, handler)


def list_tags_for_resource(response: ApplicationAutoScalingResponse) -> str:
    """Tell a scalable target's tags."""
    return json.dumps({"Tags": _tags(response, json.loads(response.body)["ResourceARN"])})


def tag_resource(response: ApplicationAutoScalingResponse) -> str:
    """Add or change tags of a scalable target."""
    request = json.loads(response.body)
    _tags(response, request["ResourceARN"]).update(request["Tags"])
    return "{}"


def untag_resource(response: ApplicationAutoScalingResponse) -> str:
    """Take tags off a scalable target."""
    request = json.loads(response.body)
    for key in request["TagKeys"]:
        _tags(response, request["ResourceARN"]).pop(key, None)
    return "{}"


def _tags(response: ApplicationAutoScalingResponse, arn: str) -> Tags:
    for targets in response.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                tags: Tags = target.__dict__.setdefault("tags", {})
                return tags
    raise ResourceNotFoundException(f"The resource doesn't exist: {arn}")


def _refuse_ecs(_: models.ApplicationAutoscalingBackend, resource_id: str) -> None:
    raise AWSValidationException(f"ECS service doesn't exist: {resource_id}")
