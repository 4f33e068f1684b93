"""The alarms of one model: is it answering, is it quick, has the world moved, is the monitor itself alive."""

from collections.abc import Callable, Sequence
from typing import Literal

from infra.config import DriftConfig, RollbackAlarm
from infra.constructs.alarm import Alarm, Severity
from infra.constructs.alerts import Alerts
from infra.constructs.metrics import Metric, endpoint_metric, monitoring_metric, of_configuration
from infra.constructs.window_alarms import silence_alarms, window_alarm
from infra.naming import VARIANT
from infra.provider import Construct
from monitoring import contract

MICROSECONDS = 1_000


class EndpointAlarms(Construct):
    """Alarms named after the endpoint, some of which take an update back."""

    def __init__(self, scope: Construct, id_: str, *, endpoint: str, alerts: Alerts) -> None:
        super().__init__(scope, id_)
        self.endpoint, self._alerts = endpoint, alerts
        self.all: list[Alarm] = []
        self._take_back: dict[RollbackAlarm, list[Alarm]] = {"errors": [], "latency": []}
        self._of_new: dict[str, Callable[[str], Alarm]] = {}

    def named(self, names: Sequence[RollbackAlarm]) -> list[Alarm]:
        """Those that a rollout names: the errors of every variant, the latency where the kind has such an alarm."""
        return [alarm for name in names for alarm in self._take_back[name]]

    def of_new_instances(self, names: Sequence[RollbackAlarm], configuration: str) -> list[Alarm]:
        """The same, of the instances of one endpoint configuration alone: what others raise does not raise these.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
        """
        return [self._of_new[alarm.name](configuration) for alarm in self.named(names)]

    def errors(self, max_error_percent: float, *, variant: str = VARIANT) -> None:
        """The container fails to answer."""
        of = "" if variant == VARIANT else f"{variant}-"
        self.add(
            f"{of}errors",
            endpoint_metric("Invocation5XXErrors", self.endpoint, "Average", variant=variant),
            comparison="above",
            threshold=max_error_percent / 100,
            datapoints=2,
            description=f"More than {max_error_percent:g} % of requests to {self._named(variant)} fail.",
            severity="critical",
            runbook="endpoint-errors",
            takes_back="errors",
        )

    def latency(self, max_latency_ms: float) -> None:
        """The container is slow."""
        self.add(
            "latency",
            endpoint_metric("ModelLatency", self.endpoint, "p99"),
            comparison="above",
            threshold=max_latency_ms * MICROSECONDS,
            description=f"The slowest hundredth of answers from {self.endpoint} takes over {max_latency_ms:g} ms.",
            severity="warning",
            runbook="endpoint-latency",
            takes_back="latency",
        )

    def add(
        self,
        id_: str,
        metric: Metric,
        *,
        comparison: Literal["above", "at least"],
        threshold: float,
        description: str,
        severity: Severity,
        runbook: str,
        period_seconds: int = 60,
        periods: int = 3,
        datapoints: int = 3,
        takes_back: RollbackAlarm | None = None,
    ) -> None:
        """An alarm `<endpoint>-<id>`; silence means that nobody asked, which is no fault.

        `takes_back` is the name by which a rollout asks for it.
        """

        def made(of: str, metric: Metric) -> Alarm:
            alarm = Alarm(
                self,
                f"{of}{id_}",
                name=f"{self.endpoint}-{of}{id_}",
                metric=metric,
                comparison=comparison,
                threshold=threshold,
                period_seconds=period_seconds,
                periods=periods,
                datapoints=datapoints,
                missing_data="notBreaching",
                description=description,
                severity=severity,
                runbook=runbook,
                alerts=self._alerts,
            )
            self.all.append(alarm)
            return alarm

        alarm = made("", metric)
        if takes_back is not None:
            self._take_back[takes_back].append(alarm)
            self._of_new[alarm.name] = lambda configuration: made("new-", of_configuration(metric, configuration))

    def _named(self, variant: str) -> str:
        return self.endpoint if variant == VARIANT else f"variant {variant} of {self.endpoint}"


class DriftAlarms(Construct):
    """Features and predictions against the baseline."""

    def __init__(self, scope: Construct, id_: str, *, drift: DriftConfig, endpoint: str, alerts: Alerts) -> None:
        super().__init__(scope, id_)
        self._endpoint, self._alerts, self._schedule = endpoint, alerts, drift.schedule
        self.features = self._features(drift)
        self.prediction = self._psi(
            "prediction",
            contract.PREDICTION_PSI_METRIC,
            drift.prediction_psi_threshold,
            "The predictions' distribution has moved.",
        )
        silence = silence_alarms(
            self,
            job="drift",
            schedule=drift.schedule,
            metric=contract.SAMPLE_COUNT_METRIC,
            endpoint=endpoint,
            alerts=alerts,
            runbook="drift-silence",
        )
        self.all = [self.features, self.prediction, *silence]

    @property
    def asking(self) -> tuple[Alarm, Alarm]:
        """The alarms that ask for retraining, from their thresholds on."""
        return self.features, self.prediction

    def _features(self, drift: DriftConfig) -> Alarm:
        meaning = "A feature's distribution has moved from the baseline's."
        if drift.false_alarm_rate is None:
            return self._psi("features", contract.MAX_PSI_METRIC, drift.psi_threshold, meaning)
        chance = f"further than in {drift.false_alarm_rate:.4g} of windows by chance"
        return self._drift("features", contract.MAX_DRIFT_METRIC, 1, f"{meaning} ({chance})")

    def _psi(self, id_: str, metric: str, threshold: float, meaning: str) -> Alarm:
        return self._drift(id_, metric, threshold, f"{meaning} (population stability index {threshold:g} or more)")

    def _drift(self, id_: str, metric: str, threshold: float, description: str) -> Alarm:
        return window_alarm(
            self,
            id_,
            name=f"{self._endpoint}-drift-{id_}",
            metric=monitoring_metric(metric, self._endpoint),
            comparison="at least",
            threshold=threshold,
            schedule=self._schedule,
            description=f"{self._endpoint}: {description}",
            runbook="drift",
            alerts=self._alerts,
        )
