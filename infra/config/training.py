"""How the model is trained, and when a trained one is good enough to be registered."""

from typing import Annotated

from pydantic import Field

from infra.config.base import Count, Section
from infra.config.instance import InstanceConfig
from training.contract import HIGHER_IS_BETTER, Metric

Hyperparameter = Annotated[int | float | bool | Annotated[str, Field(max_length=2500)], Field(union_mode="smart")]


class SplitConfig(Section):
    """The newest days are kept apart: the last for the test, those before them for validation."""

    validation_days: Count = 7
    """Days before the test days, for early stopping."""
    test_days: Count = 7
    """The newest days, for the gate."""


class GateConfig(Section):
    """What a trained model must reach on the test days to be registered."""

    metric: Metric = "auc"
    """Metric that decides; for regression the default is rmse."""
    minimum: float | None = None
    """Least value to pass, for a metric that is better when higher (auc, accuracy)."""
    maximum: float | None = None
    """Greatest value to pass, for a metric that is better when lower (log_loss, rmse, mae)."""
    champion_margin: Annotated[float, Field(ge=0)] = 0.0
    """By how much the live model must be beaten on the same days."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value of the metric is the better one."""
        return self.metric in HIGHER_IS_BETTER


class TrainingConfig(Section):
    """The training pipeline."""

    hyperparameters: dict[str, Hyperparameter] = Field(default_factory=dict, max_length=100)
    """Passed to the training library by name (LightGBM's parameters)."""
    instance: InstanceConfig = InstanceConfig()
    """The machine that the pipeline's jobs run on."""
    max_runtime_minutes: Annotated[int, Field(ge=1, le=28 * 24 * 60)] = 60
    """A job that runs longer is stopped; at most 28 days."""
    split: SplitConfig = SplitConfig()
    """How the data is divided by time."""
    gate: GateConfig = GateConfig()
    """What a trained model must reach to be registered."""
