"""What starts a retraining, and what holds it back."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from infra.config.auto_approve import AutoApproveConfig
from infra.config.base import Broken, Count, Positive, Section, Timetable


class NewDataConfig(Section):
    """Retraining when new labelled data has arrived."""

    debounce_minutes: Annotated[int, Field(ge=0, le=1_440)] = 15
    """Minutes without a new file before the data is looked at: a burst of uploads starts one run; 0 to look at each."""
    minimum_files: Count = 1
    """New partitions since the last training that start one."""
    minimum_mb: Annotated[float, Field(ge=0)] = 0
    """Megabytes (10^6 bytes) that they must have together; 0 for any size."""
    minimum_rows: Annotated[int, Field(ge=0)] = 0
    """Rows that they must have together, as their Parquet footers say; 0 for any number."""


class DriftWindowsConfig(Section):
    """How many windows must have drifted; the newest always must."""

    breached: Annotated[int, Field(ge=1, le=12)] = 1
    """Windows with drift that start a retraining."""
    of: Annotated[int, Field(ge=1, le=12)] = 1
    """Among how many of the last windows."""

    def broken_rules(self) -> Iterator[Broken]:
        """There cannot be more with drift than are looked at."""
        if self.breached > self.of:
            up, down = f"raise of to {self.breached}", f"lower breached to {self.of}"
            yield Broken(
                (
                    ("breached", f"is {self.breached} but of is {self.of}: {down} or {up}"),
                    ("of", f"is {self.of} but breached is {self.breached}: {up} or {down}"),
                )
            )


class RetrainingConfig(Section):
    """What starts a retraining, and what holds it back."""

    on_drift: bool = True
    """Whether drift starts one."""
    on_quality: bool = True
    """Whether a fall of the model's quality starts one, where `monitoring` watches it."""
    drift_windows: DriftWindowsConfig = DriftWindowsConfig()
    """How many windows must have drifted before one is started."""
    new_data: NewDataConfig | None = None
    """Whether new labelled data starts one; off unless given."""
    schedule: Timetable | None = None
    """Whether time alone starts one: hourly, daily, weekly, monthly, or a cron expression in UTC; off unless given."""
    cooldown_days: Annotated[int, Field(ge=0)] = 7
    """Least days between two retrainings; 0 for none."""
    max_runs_a_month: Count = 10
    """Most runs in a calendar month (UTC), failed ones too: what retraining may cost."""
    max_usd_a_month: Positive | None = None
    """What a calendar month's runs may cost together, in US dollars: estimated from the time that runs took and the
    list price of their machines; no limit unless given."""
    auto_approve: AutoApproveConfig | None = None
    """Whether a retrained version may be approved without a person, and what it must have shown; a person unless
    given."""
