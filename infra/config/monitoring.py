"""What is watched while the model serves."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Broken, Count, Positive, Schedule, Section
from infra.config.bias import BiasConfig
from infra.config.explanations import ExplanationsConfig
from infra.config.instance import HostsConfig
from infra.config.quality import QualityConfig

NumericStatistic = Literal["psi", "components", "jensen-shannon", "kolmogorov-smirnov", "wasserstein", "chi-square"]
CategoricalStatistic = Literal["psi", "deviance", "jensen-shannon", "chi-square"]
MultivariateStatistic = Literal["correlation", "location", "both"]
FalseAlarmRate = Annotated[float, Field(gt=0, le=0.5)]


class StatisticsConfig(Section):
    """How far a feature's distribution lies from the training data's."""

    numeric: NumericStatistic | None = None
    """The statistic of numeric features; null for psi, or with a `false_alarm_rate` for components."""
    categorical: CategoricalStatistic | None = None
    """The statistic of categorical features; null for psi, or with a `false_alarm_rate` for deviance."""
    multivariate: MultivariateStatistic | None = "both"
    """With a `false_alarm_rate`: how numeric features go together, all pairs at once (`correlation`), where their means
    lie together (`location`), or `both`; null for none."""


class DriftConfig(Section):
    """How captured traffic is compared with the training data."""

    schedule: Schedule = "daily"
    """How often, and over which window."""
    psi_threshold: Positive = 0.2
    """Population stability index from which a feature has drifted."""
    prediction_psi_threshold: Positive = 0.2
    """Population stability index from which the predictions have drifted."""
    false_alarm_rate: FalseAlarmRate | None = None
    """Instead of `psi_threshold`: the share of windows without drift in which any feature may raise the alarm."""
    statistics: StatisticsConfig = StatisticsConfig()
    """What is computed; a statistic other than psi needs a `false_alarm_rate`."""
    minimum_rows: Count = 500
    """With fewer captured rows in a window, nothing is concluded."""
    instance: HostsConfig = HostsConfig()
    """The machines that the drift job runs on."""

    def broken_rules(self) -> Iterator[Broken]:
        """Features have one kind of threshold, and only the PSI has a fixed one; an hour is one machine's work."""
        if self.schedule == "hourly" and self.instance.count > 1:
            why = "but machines share a window out by the hour: set it to 1, or take a longer schedule"
            yield Broken((("instance.count", f"is {self.instance.count} {why}"),))
        if self.false_alarm_rate is not None:
            if "psi_threshold" in self.model_fields_set:
                why = f"is {self.false_alarm_rate:g} but psi_threshold is {self.psi_threshold:g}: remove one of the two"
                yield Broken((("false_alarm_rate", why),))
            return
        for kind in ("numeric", "categorical"):
            name = getattr(self.statistics, kind)
            if name not in {"psi", None}:
                why = f"is {name}, which has no fixed threshold: set monitoring.drift.false_alarm_rate, such as 0.05"
                yield Broken(((f"statistics.{kind}", why),))


class MonitoringConfig(Section):
    """What is watched while the model serves."""

    drift: DriftConfig | None = DriftConfig()
    """How traffic is compared with the training data; `drift: null` turns it off."""
    quality: QualityConfig | None = None
    """How answers are compared with labels that arrive later; off unless given."""

    bias: BiasConfig | None = None
    """Whether a classifier's answers differ by group; off unless given."""
    explanations: ExplanationsConfig | None = None
    """What the model goes by, against the training data; off unless given."""

    def broken_rules(self) -> Iterator[Broken]:
        """Bias and explanations are measured by the drift job."""
        for name in ("bias", "explanations"):
            if self.drift is None and getattr(self, name) is not None:
                yield Broken(((name, "is measured by the drift job, but drift is null: remove one of the two"),))

    @property
    def watched(self) -> list[str]:
        """The parts that are turned on."""
        return [name for name in ("drift", "quality") if getattr(self, name) is not None]
