"""The alarms of one model: is it answering, is it quick, has the world moved, is the monitor itself alive."""

from infra.config import AlarmsConfig, DriftConfig, RollbackAlarm
from infra.constructs.alarm import Alarm
from infra.constructs.alerts import Alerts
from infra.constructs.metrics import endpoint_metric, monitoring_metric
from infra.provider import Construct
from monitoring import contract

MICROSECONDS = 1_000
DAY_SECONDS = 86_400
PERIOD_SECONDS = {"hourly": 3_600, "daily": DAY_SECONDS, "weekly": DAY_SECONDS, "monthly": DAY_SECONDS}
"""A drift alarm looks at periods as long as the schedule, but CloudWatch knows none longer than a day."""
SILENCE_CAN_BE_SEEN = ("hourly", "daily")
"""CloudWatch looks back a week at most: a weekly or monthly monitor's silence is beyond it."""


class EndpointAlarms(Construct):
    """Errors and latency; the blue/green deployment rolls back on both."""

    def __init__(self, scope: Construct, id_: str, *, settings: AlarmsConfig, endpoint: str, alerts: Alerts) -> None:
        super().__init__(scope, id_)
        self.errors = Alarm(
            self,
            "errors",
            name=f"{endpoint}-errors",
            metric=endpoint_metric("Invocation5XXErrors", endpoint, "Average"),
            comparison="above",
            threshold=settings.max_error_percent / 100,
            period_seconds=60,
            periods=3,
            datapoints=2,
            missing_data="notBreaching",
            description=f"More than {settings.max_error_percent:g} % of requests to {endpoint} fail.",
            severity="critical",
            runbook="endpoint-errors",
            alerts=alerts,
        )
        self.latency = Alarm(
            self,
            "latency",
            name=f"{endpoint}-latency",
            metric=endpoint_metric("ModelLatency", endpoint, "p99"),
            comparison="above",
            threshold=settings.max_latency_ms * MICROSECONDS,
            period_seconds=60,
            periods=3,
            datapoints=3,
            missing_data="notBreaching",
            description=f"The slowest hundredth of answers from {endpoint} takes over {settings.max_latency_ms:g} ms.",
            severity="warning",
            runbook="endpoint-latency",
            alerts=alerts,
        )

    def named(self, names: tuple[RollbackAlarm, ...]) -> list[Alarm]:
        """Those that a rollout names."""
        alarms: dict[RollbackAlarm, Alarm] = {"errors": self.errors, "latency": self.latency}
        return [alarms[name] for name in names]


class DriftAlarms(Construct):
    """Features and predictions against the baseline; a period without data re-arms them: each window speaks."""

    def __init__(self, scope: Construct, id_: str, *, drift: DriftConfig, endpoint: str, alerts: Alerts) -> None:
        super().__init__(scope, id_)
        self._endpoint, self._alerts, self._period = endpoint, alerts, PERIOD_SECONDS[drift.schedule]
        self.features = self._features(drift)
        self.prediction = self._psi(
            "prediction",
            contract.PREDICTION_PSI_METRIC,
            drift.prediction_psi_threshold,
            "The predictions' distribution has moved.",
        )
        if drift.schedule in SILENCE_CAN_BE_SEEN:
            self._silence()

    @property
    def names(self) -> list[str]:
        """The alarms that ask for retraining."""
        return [self.features.name, self.prediction.name]

    def _features(self, drift: DriftConfig) -> Alarm:
        meaning = "A feature's distribution has moved from the baseline's."
        if drift.false_alarm_rate is None:
            return self._psi("features", contract.MAX_PSI_METRIC, drift.psi_threshold, meaning)
        chance = f"further than in {drift.false_alarm_rate:.4g} of windows by chance"
        return self._drift("features", contract.MAX_DRIFT_METRIC, 1, f"{meaning} ({chance})")

    def _psi(self, id_: str, metric: str, threshold: float, meaning: str) -> Alarm:
        return self._drift(id_, metric, threshold, f"{meaning} (population stability index {threshold:g} or more)")

    def _drift(self, id_: str, metric: str, threshold: float, description: str) -> Alarm:
        return Alarm(
            self,
            id_,
            name=f"{self._endpoint}-drift-{id_}",
            metric=monitoring_metric(metric, self._endpoint),
            comparison="at least",
            threshold=threshold,
            period_seconds=self._period,
            periods=1,
            datapoints=1,
            missing_data="missing",
            description=f"{self._endpoint}: {description}",
            severity="warning",
            runbook="drift",
            alerts=self._alerts,
        )

    def _silence(self) -> None:
        Alarm(
            self,
            "silence",
            name=f"{self._endpoint}-drift-silence",
            metric=monitoring_metric(contract.SAMPLE_COUNT_METRIC, self._endpoint, "SampleCount"),
            comparison="below",
            threshold=1,
            period_seconds=self._period,
            periods=2,
            datapoints=2,
            missing_data="breaching",
            description=f"{self._endpoint}: the drift job has published nothing for two of its periods.",
            severity="warning",
            runbook="drift-silence",
            alerts=self._alerts,
        )
