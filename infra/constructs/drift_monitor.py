"""The scheduled drift job: EventBridge Scheduler creates a processing job, with the window's end in its environment."""

import json

from infra.config import ModelConfig, Release
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.schedules import expression
from infra.images import MONITORING, tag
from infra.naming import ModelNames
from infra.pipelines import drift_job
from infra.provider import Construct, aws

CREATE_PROCESSING_JOB = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"


class DriftMonitor(Construct):
    """A schedule, the role it creates jobs with, and the role the jobs have."""

    def __init__(
        self, scope: Construct, id_: str, *, model: ModelConfig, names: ModelNames, platform: Platform, release: Release
    ) -> None:
        super().__init__(scope, id_)
        if model.monitoring.drift is None:
            raise ValueError(f"{model.name} has no drift monitoring to schedule")
        job_role = self._job_role(names, platform)
        self.job_role_arn = job_role.arn
        job = drift_job(
            model,
            names,
            image=names.environment.image(MONITORING, tag(MONITORING)),
            role_arn=job_role.arn,
            baseline_uri=release.baseline_uri,
            baseline_version=release.version,
            kms_key=platform.key.arn,
        )
        scheduler = self._scheduler_role(names, platform, job_role)
        aws.SchedulerSchedule(
            self,
            "schedule",
            name=f"{names.base}-drift",
            description=f"{model.monitoring.drift.schedule} drift of {names.base} against its baseline",
            schedule_expression=expression(model.monitoring.drift.schedule),
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=platform.key.arn,
            target={"arn": CREATE_PROCESSING_JOB, "role_arn": scheduler.arn, "input": json.dumps(job)},
            depends_on=[job_role.attach(), scheduler.attach()],
        )

    def _job_role(self, names: ModelNames, platform: Platform) -> ServiceRole:
        role = ServiceRole(
            self, "job-role", name=f"{names.base}-monitor", service="sagemaker.amazonaws.com", names=names.environment
        )
        platform.capture.grant_read(role, f"{names.model}/")
        platform.registry.grant_read(role, f"{names.model}/")
        platform.registry.grant_write(role, f"{names.model}/drift/")
        platform.key.grant_use(role)
        platform.key.grant_volumes(role)
        platform.repositories.grant_pull(role, MONITORING)
        platform.grant_logging(role)
        return role

    def _scheduler_role(self, names: ModelNames, platform: Platform, job_role: ServiceRole) -> ServiceRole:
        role = ServiceRole(
            self, "role", name=f"{names.base}-schedule", service="scheduler.amazonaws.com", names=names.environment
        )
        jobs = f"arn:aws:sagemaker:{names.environment.region}:{names.environment.account}:processing-job/*"
        role.grant(
            allow(["sagemaker:AddTags", "sagemaker:CreateProcessingJob"], [jobs]),
            allow(["iam:PassRole"], [job_role.arn], StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"}),
        )
        platform.key.grant_decrypt(role)  # the schedule's input
        return role
