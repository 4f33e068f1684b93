"""The scheduled quality job, and what it may do."""

from infra.config import ModelConfig, Release
from infra.constructs.monitoring_job import MonitoringJob
from infra.constructs.platform import Platform
from infra.naming import ModelNames
from infra.pipelines import quality_job
from infra.provider import Construct


class QualityMonitor(MonitoringJob):
    """Captured answers against the labels that have come since."""

    def __init__(
        self, scope: Construct, id_: str, *, model: ModelConfig, names: ModelNames, platform: Platform, release: Release
    ) -> None:
        super().__init__(scope, id_, names=names, platform=platform, role="quality")
        if model.monitoring.quality is None:
            raise ValueError(f"{model.name} has no quality monitoring to schedule")
        platform.data.grant_read(self.role, names.ground_truth_prefix)
        platform.registry.grant_write(self.role, f"{names.model}/quality/")
        job = quality_job(
            model,
            names,
            image=self.image,
            role_arn=self.role.arn,
            release=release,
            kms_key=platform.key.arn,
            vpc_config=self.vpc_config,
        )
        schedule = model.monitoring.quality.schedule
        description = f"{schedule} quality of {names.base}, by labels that arrive later"
        self._every(schedule, job, what="quality", scheduler="quality-run", description=description)
