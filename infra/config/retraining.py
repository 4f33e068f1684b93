"""What starts a retraining, and what holds it back."""

from typing import Annotated

from pydantic import Field

from infra.config.base import Count, Section


class NewDataConfig(Section):
    """Retraining when new labelled data has arrived."""

    minimum_files: Count = 1
    """New partitions since the last training that start one."""


class RetrainingConfig(Section):
    """What starts a retraining, and what holds it back."""

    on_drift: bool = True
    """Whether a drift alarm starts one."""
    new_data: NewDataConfig | None = None
    """Whether new labelled data starts one; off unless given."""
    cooldown_days: Annotated[int, Field(ge=0)] = 7
    """Least days between two retrainings; 0 for none."""
