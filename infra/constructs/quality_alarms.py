"""The quality alarms: do the answers fall short of what was demanded, and is the job itself alive."""

from typing import Literal

from infra.config import QualityConfig, Release
from infra.constructs.alarm import Alarm
from infra.constructs.alerts import Alerts
from infra.constructs.metrics import quality_metric
from infra.constructs.window_alarms import silence_alarms, window_alarm
from infra.provider import Construct
from monitoring import contract


class QualityAlarms(Construct):
    """The watched metric against its limit."""

    def __init__(
        self, scope: Construct, id_: str, *, quality: QualityConfig, release: Release, endpoint: str, alerts: Alerts
    ) -> None:
        super().__init__(scope, id_)
        self.quality = self._quality(quality, quality.limit(release), endpoint, alerts)
        silence = silence_alarms(
            self,
            job="quality",
            schedule=quality.schedule,
            metric=contract.LABELLED_ROWS_METRIC,
            endpoint=endpoint,
            alerts=alerts,
            runbook="quality-silence",
        )
        self.all = [self.quality, *silence]

    def _quality(self, quality: QualityConfig, limit: float, endpoint: str, alerts: Alerts) -> Alarm:
        comparison: Literal["below", "above"] = "below" if quality.higher_is_better else "above"
        return window_alarm(
            self,
            "quality",
            name=f"{endpoint}-quality",
            metric=quality_metric(contract.QUALITY_AT_BEST_METRIC, endpoint, quality.metric),
            comparison=comparison,
            threshold=limit,
            schedule=quality.schedule,
            description=f"{endpoint}: {quality.metric} is {comparison} {limit:.4g}, by more than chance.",
            runbook="quality",
            alerts=alerts,
        )
