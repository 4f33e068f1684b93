"""When a retrained version is approved without a person."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Broken, Count, Section
from infra.config.training import GateConfig

Starter = Literal["new-data", "drift", "quality", "schedule", "person"]


class AutoApproveConfig(Section):
    """Gates, all of which a registered version must pass; a hold stops approvals too.

    Nothing goes live by it: the promotion stays a change in git.
    """

    champion_margin: Annotated[float, Field(ge=0)] = 0.0
    """By how much the live model must be beaten in `training.gate.metric`, on the same days; where none is live a
    person approves."""
    minimum: float | None = None
    """Least value of `training.gate.metric`, if it is better when higher; none besides the gate's own unless given."""
    maximum: float | None = None
    """Greatest value of `training.gate.metric`, if it is better when lower."""
    started_by: Annotated[tuple[Starter, ...], Field(strict=False, min_length=1)] = ("drift", "quality")
    """What must have started the run: any of new-data, drift, quality, schedule, person."""
    max_a_month: Count = 1
    """Most versions that are approved without a person in a calendar month (UTC)."""


def unfit(auto_approve: AutoApproveConfig, gate: GateConfig) -> Iterator[Broken]:
    """What does not go with the gate's metric."""
    place, metric = "retraining.auto_approve", gate.metric
    if gate.higher_is_better and auto_approve.maximum is not None:
        yield Broken(((f"{place}.maximum", f"is set but {metric} is better when higher: use minimum"),))
    if not gate.higher_is_better and auto_approve.minimum is not None:
        yield Broken(((f"{place}.minimum", f"is set but {metric} is better when lower: use maximum"),))
