"""How good the answers were, once their labels have come."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from infra.config.base import Broken, Count, Schedule, Section
from infra.config.instance import InstanceConfig
from infra.config.release import Release
from infra.errors import UserError
from monitoring.contract import QUALITY_BETTER_WHEN_HIGHER, QUALITY_METRICS, QualityMetric
from training.contract import METRICS, Problem

DIGITS: Final = 9
"""A limit is rounded to so many: 0.7 - 0.05 is 0.65 to people."""


class QualityConfig(Section):
    """How answers are compared with labels that arrive later.

    An alarm is raised where even the better end of the metric's interval is beyond the limit: by chance alone, one
    window in forty. With two limits, the stricter one counts.
    """

    schedule: Schedule = "daily"
    """How often, and over which window."""
    metric: QualityMetric = "auc"
    """Metric that is watched, of all that are measured; for regression the default is rmse."""
    minimum: float | None = None
    """Least value, for a metric that is better when higher (auc, f1)."""
    maximum: float | None = None
    """Greatest value, for a metric that is better when lower (log_loss, calibration_error, rmse, mae)."""
    baseline_margin: Annotated[float, Field(ge=0)] | None = None
    """How much worse than the live version's own test days it may be, in the metric's unit."""
    label_delay_days: Annotated[int, Field(ge=0, le=365)] = 0
    """So long after a window's end labels may arrive; then it is measured."""
    minimum_rows: Count = 500
    """With fewer labelled rows in a window, nothing is concluded."""
    instance: InstanceConfig = InstanceConfig()
    """The machine that the quality job runs on."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value of the metric is the better one."""
        return self.metric in QUALITY_BETTER_WHEN_HIGHER

    def baseline(self, release: Release) -> float | None:
        """The metric on the release's own test days, if training measured it."""
        return release.metrics.get(self.metric)

    def limit(self, release: Release) -> float:
        """The stricter of the limits that a release has.

        Raises:
            UserError: it has none, since training did not measure the metric.
        """
        fixed = self.minimum if self.higher_is_better else self.maximum
        before, margin = self.baseline(release), self.baseline_margin
        limits = [] if fixed is None else [fixed]
        if before is not None and margin is not None:
            limits.append(round(before - margin if self.higher_is_better else before + margin, DIGITS))
        if not limits:
            limit = "minimum" if self.higher_is_better else "maximum"
            fix = f"add {limit} to monitoring.quality, or promote a version that has it"
            raise UserError(f"{release.model_package_arn} has no {self.metric} of its test days: {fix}")
        return max(limits) if self.higher_is_better else min(limits)

    def broken_rules(self) -> Iterator[Broken]:
        """There is something to be alarmed by."""
        if self.minimum is None and self.maximum is None and self.baseline_margin is None:
            limit = "minimum" if self.higher_is_better else "maximum"
            why = "is missing, and so is baseline_margin: give one of them, since an alarm needs a limit"
            yield Broken(((limit, why),))


def fitted(quality: QualityConfig, problem: Problem) -> QualityConfig:
    """With the problem's own metric where the file names none."""
    if "metric" in quality.model_fields_set:
        return quality
    return quality.model_copy(update={"metric": QUALITY_METRICS[problem][0]})


def unfit(quality: QualityConfig, problem: Problem) -> Broken | None:
    """What does not go with the problem or with the metric, if anything."""
    place, metric = "monitoring.quality", quality.metric
    if metric not in QUALITY_METRICS[problem]:
        message = f"is {metric} but the problem is {problem}: take {' or '.join(QUALITY_METRICS[problem])}"
        other = f"is {problem} but {place}.metric {message}"
        return Broken(((f"{place}.metric", message), ("problem", other)))
    if quality.higher_is_better and quality.maximum is not None:
        return Broken(((f"{place}.maximum", f"is set but {metric} is better when higher: use minimum"),))
    if not quality.higher_is_better and quality.minimum is not None:
        return Broken(((f"{place}.minimum", f"is set but {metric} is better when lower: use maximum"),))
    if quality.baseline_margin is not None and metric not in METRICS[problem]:
        known = " or ".join(name for name in QUALITY_METRICS[problem] if name in METRICS[problem])
        why = f"is set but training does not measure {metric}: take {known}, or give a fixed limit"
        return Broken(((f"{place}.baseline_margin", why),))
    return None
