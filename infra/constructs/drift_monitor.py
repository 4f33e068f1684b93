"""The scheduled drift job, and what it may do."""

from infra.config import ModelConfig, Release
from infra.constructs.monitoring_job import MonitoringJob
from infra.constructs.platform import Platform
from infra.naming import ModelNames
from infra.pipelines import drift_job
from infra.provider import Construct


class DriftMonitor(MonitoringJob):
    """Captured traffic against the baseline of the version that answers it."""

    def __init__(
        self, scope: Construct, id_: str, *, model: ModelConfig, names: ModelNames, platform: Platform, release: Release
    ) -> None:
        super().__init__(scope, id_, names=names, platform=platform, role="monitor")
        if model.monitoring.drift is None:
            raise ValueError(f"{model.name} has no drift monitoring to schedule")
        platform.grant_models(self.role, names.model)
        platform.registry.grant_write(self.role, f"{names.model}/drift/")
        job = drift_job(
            model,
            names,
            image=self.image,
            role_arn=self.role.arn,
            baseline_uri=release.baseline_uri,
            model_uri=release.model_data_url,
            baseline_version=release.version,
            kms_key=platform.key.arn,
            vpc_config=self.vpc_config,
        )
        schedule = model.monitoring.drift.schedule
        description = f"{schedule} drift of {names.base} against its baseline"
        self._every(schedule, job, what="drift", scheduler="schedule", description=description)
