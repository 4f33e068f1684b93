"""A plan as `terraform show -json` tells it: the part of it that is read here.

Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.errors import UserError

Action = Literal["no-op", "create", "read", "update", "delete", "forget"]
MAJOR_VERSION: Final = "1."
"""Versions of the format that begin so have the fields below, where and as they are."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=False)


class Change(_Part):
    """What happens to one resource; a replacement is a deletion and a creation, in either order."""

    actions: tuple[Action, ...]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    before_sensitive: Any = None
    after_sensitive: Any = None


class ResourceChange(_Part):
    """One resource with its change."""

    address: str
    mode: Literal["managed", "data"]
    type: str
    change: Change


class Plan(_Part):
    """One stack's plan."""

    format_version: str
    resource_changes: tuple[ResourceChange, ...] = ()
    resource_drift: tuple[ResourceChange, ...] = ()
    """What is not as Terraform left it: changed by hand, or by AWS."""
    configuration: dict[str, Any] = Field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every resource of the stack gets: environment and model among them."""
        provider = self.configuration.get("provider_config", {}).get("aws", {})
        for block in provider.get("expressions", {}).get("default_tags", []):
            return dict(block.get("tags", {}).get("constant_value", {}))
        return {}


def read_plan(path: Path) -> Plan:
    """Read a plan's JSON.

    Raises:
        UserError: there is no such file, or it is no plan of a known format.
    """
    make = "terraform show -json PLAN"
    try:
        plan = Plan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: write it with {make}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{path}: is no plan: {where}: {first['msg']}: write it with {make}") from None
    if not plan.format_version.startswith(MAJOR_VERSION):
        raise UserError(f"{path}: is of format {plan.format_version}, but only format 1 is known here")
    return plan
