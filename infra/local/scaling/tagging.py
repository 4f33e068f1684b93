"""Tags of scalable targets, without which Terraform can make none."""

from moto.core.exceptions import ServiceException

from infra.local.scaling.registry import Registry
from infra.local.validation import Json


class ResourceNotFoundException(ServiceException):  # type: ignore[misc] # moto has no types to follow
    """There is no scalable target with that ARN."""

    code = "ResourceNotFoundException"


class Tagging:
    """The operations on tags."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def list_tags(self, request: Json) -> Json:
        """Tell a target's tags."""
        return {"Tags": self._tags(request)}

    def tag(self, request: Json) -> Json:
        """Add or change tags."""
        self._tags(request).update(request["Tags"])
        return {}

    def untag(self, request: Json) -> Json:
        """Take tags off."""
        for key in request["TagKeys"]:
            self._tags(request).pop(key, None)
        return {}

    def _tags(self, request: Json) -> dict[str, str]:
        for target in self._registry.targets.values():
            if target.arn == request["ResourceARN"]:
                return target.tags
        raise ResourceNotFoundException(f"The resource doesn't exist: {request['ResourceARN']}")
