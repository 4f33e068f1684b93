"""Application Auto Scaling's tags, without which Terraform can make no scalable target."""

import json

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import ServiceException

from infra.local.cloud import LocalCloud

Tags = dict[str, str]


class ResourceNotFoundException(ServiceException):  # type: ignore[misc] # moto has no types to follow
    """There is no scalable target with that ARN."""

    code = "ResourceNotFoundException"


def install(_: LocalCloud) -> None:
    """Keep tags on moto's scalable targets."""
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
