"""What is watched while the model serves."""

from typing import Literal

from infra.config.base import Count, Positive, Section
from infra.config.instance import InstanceConfig

Schedule = Literal["hourly", "daily", "weekly", "monthly"]


class DriftConfig(Section):
    """How captured traffic is compared with the training data."""

    schedule: Schedule = "daily"
    """How often, and over which window."""
    psi_threshold: Positive = 0.2
    """Population stability index from which a feature has drifted."""
    prediction_psi_threshold: Positive = 0.2
    """Population stability index from which the predictions have drifted."""
    minimum_rows: Count = 500
    """With fewer captured rows in a window, nothing is concluded."""
    instance: InstanceConfig = InstanceConfig()
    """The machine that the drift job runs on."""


class MonitoringConfig(Section):
    """What is watched while the model serves."""

    drift: DriftConfig | None = DriftConfig()
    """How traffic is compared with the training data; `drift: null` turns it off."""
