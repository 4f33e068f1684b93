"""Waivers: policy findings that somebody answers for, with a reason, until a day."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from infra.config.base import Email, Section
from infra.config.errors import ConfigError
from infra.config.explain import problems_of
from infra.config.yaml_source import read_yaml, shown

WAIVERS_FILE: Final = "waivers.yaml"


class Waiver(Section):
    """One rule that need not hold for some resources until a day."""

    rule: Annotated[str, Field(min_length=1)]
    """The rule's id, as `sagestack policy` tells it."""
    resources: Annotated[str, Field(min_length=1)]
    """STACK/TYPE.NAME of the resources; * stands for any text."""
    reason: Annotated[str, Field(min_length=20)]
    """Why it need not hold, in a sentence."""
    owner: Email
    """Who answers for it."""
    expires: Annotated[date, Field(strict=False)]
    """The last day that it holds, such as 2027-06-30; the gate fails after it."""


class Waivers(Section):
    """The waivers file."""

    waivers: Annotated[tuple[Waiver, ...], Field(strict=False)]
    """Every waiver."""


def load_waivers(root: Path) -> tuple[Waiver, ...]:
    """The waivers of a project; none if it has no such file.

    Args:
        root: the folder that holds models, environments and releases.

    Raises:
        ConfigError: all problems of the file.
    """
    path = root / WAIVERS_FILE
    if not path.exists():
        return ()
    node = read_yaml(path)
    try:
        return Waivers.model_validate(node.plain()).waivers
    except ValidationError as error:
        raise ConfigError(problems_of(error, Waivers, shown(path), node)) from None
