"""`<env>-<model>`: one model's whole life, from its pipeline to its dashboard."""

from collections.abc import Sequence

from infra.config import BatchTransformConfig, EnvironmentConfig, FleetConfig, ModelConfig, Release, ReleaseLock
from infra.constructs import pictures
from infra.constructs.alarm import Alarm
from infra.constructs.alarms import DriftAlarms, EndpointAlarms
from infra.constructs.autoscaling import Autoscaling
from infra.constructs.batch_transform import BatchTransform
from infra.constructs.dashboard import AlarmStates, Dashboard, Picture
from infra.constructs.drift_monitor import DriftMonitor
from infra.constructs.endpoint import Endpoint
from infra.constructs.hostings import hosting
from infra.constructs.metrics import monitoring_metric
from infra.constructs.platform import Platform
from infra.constructs.quality_alarms import QualityAlarms
from infra.constructs.quality_monitor import QualityMonitor
from infra.constructs.registry import Registry
from infra.constructs.retraining import Retraining, Watched
from infra.constructs.severity import SeverityAlarms
from infra.constructs.training_pipeline import TrainingPipeline
from infra.provider import App
from infra.stacks.base import EnvironmentStack
from monitoring.contract import LABELLED_ROWS_METRIC, SAMPLE_COUNT_METRIC


class ModelStack(EnvironmentStack):
    """Without a release there is nothing to serve or watch yet: the stack then trains, and no more."""

    def __init__(
        self,
        app: App,
        *,
        model: ModelConfig,
        environment: EnvironmentConfig,
        platform: Platform,
        lock: ReleaseLock | None,
    ) -> None:
        tags = {"model": model.name, "owner": model.owner}
        super().__init__(app, f"{environment.name}-{model.name}", environment=environment, tags=tags)
        if lock is not None:
            model = model.model_copy(update={"endpoint": lock.settings(model.endpoint)})
        self._model, self._platform, self._names = model, platform, environment.names.model(model.name)
        Registry(
            self,
            "registry",
            model=model,
            names=self._names,
            protected=environment.destroy_protection,
            readers=environment.shares_registry_with,
        )
        pipeline = TrainingPipeline(
            self, "pipeline", model=model, names=self._names, platform=platform, live=lock.current if lock else None
        )
        self._watchers: list[EndpointAlarms | DriftAlarms | QualityAlarms] = []
        self._pictures: list[Picture] = []
        watched = self._serve(lock) if lock else []
        retraining = Retraining(
            self,
            "retraining",
            model=model,
            names=self._names,
            platform=platform,
            pipeline=pipeline,
            watched=watched,
        )
        alarms = [*(alarm for watcher in self._watchers for alarm in watcher.all), retraining.governor.alarm]
        SeverityAlarms(self, "severity", base=self._names.base, alarms=alarms)
        if self._pictures:
            self._show(alarms)

    def _serve(self, lock: ReleaseLock) -> list[Watched]:
        """The endpoint and what watches it; the monitoring jobs whose alarms may ask for a run."""
        model, names, platform = self._model, self._names, self._platform
        if isinstance(model.endpoint, BatchTransformConfig):
            settings, release = model.endpoint, lock.current
            batch = BatchTransform(self, "batch", settings=settings, names=names, platform=platform, release=release)
            self._pictures += batch.pictures()
            return []
        kind = hosting(model.endpoint, names, platform)
        alarms = EndpointAlarms(self, "alarms", endpoint=names.base, alerts=platform.alerts)
        kind.alarms(alarms)
        self._watchers.append(alarms)
        endpoint = Endpoint(
            self,
            "endpoint",
            settings=model.endpoint,
            names=names,
            platform=platform,
            lock=lock,
            alarms=alarms,
        )
        if isinstance(model.endpoint, FleetConfig) and model.endpoint.scaling.in_force:
            Autoscaling(
                self,
                "autoscaling",
                scaling=model.endpoint.scaling,
                endpoint=endpoint.name,
                instance_type=model.endpoint.instance_type,
                after=endpoint.endpoint,
            )
        self._pictures += kind.pictures()
        return [*self._watch_quality(lock.current), *self._watch_drift(lock.current)]

    def _watch_quality(self, release: Release) -> list[Watched]:
        quality = self._model.monitoring.quality
        if quality is None:
            return []
        names, platform = self._names, self._platform
        self._pictures += pictures.quality(names.base, quality.metric)
        monitor = QualityMonitor(self, "quality", model=self._model, names=names, platform=platform, release=release)
        alarms = QualityAlarms(
            self, "quality-alarms", quality=quality, release=release, endpoint=names.base, alerts=platform.alerts
        )
        self._watchers.append(alarms)
        windows = monitoring_metric(LABELLED_ROWS_METRIC, names.base)
        return [Watched("quality", [alarms.quality], windows, monitor.role.arn, quality.schedule)]

    def _watch_drift(self, release: Release) -> list[Watched]:
        drift = self._model.monitoring.drift
        if drift is None:
            return []
        names, platform = self._names, self._platform
        monitor = DriftMonitor(self, "drift", model=self._model, names=names, platform=platform, release=release)
        alarms = DriftAlarms(self, "drift-alarms", drift=drift, endpoint=names.base, alerts=platform.alerts)
        self._watchers.append(alarms)
        self._pictures += pictures.drift(names.base)
        windows = monitoring_metric(SAMPLE_COUNT_METRIC, names.base)
        return [Watched("drift", alarms.asking, windows, monitor.role.arn, drift.schedule)]

    def _show(self, alarms: Sequence[Alarm]) -> None:
        names = self._names
        states = AlarmStates("Alarms", [names.alarm_arn(alarm.name) for alarm in alarms])
        region = names.environment.region
        Dashboard(self, "dashboard", name=names.base, region=region, widgets=[states, *self._pictures])
