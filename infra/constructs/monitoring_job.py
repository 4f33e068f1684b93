"""A scheduled monitoring job: EventBridge Scheduler creates it, with the window's end in its environment."""

import json
from typing import Any

from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.schedules import expression
from infra.constructs.tags import job_tags
from infra.images import MONITORING, tag
from infra.naming import ModelNames
from infra.pipelines.scheduled import any_invocation
from infra.provider import Construct, aws

CREATE_PROCESSING_JOB = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"


class MonitoringJob(Construct):
    """A schedule, the role it creates jobs with, and the role the jobs have.

    A kind of job is a subclass: it says what its role is called and may do, and schedules its request.
    """

    def __init__(self, scope: Construct, id_: str, *, names: ModelNames, platform: Platform, role: str) -> None:
        super().__init__(scope, id_)
        self._names, self._platform = names, platform
        self.role = ServiceRole(
            self, "job-role", name=f"{names.base}-{role}", service="sagemaker.amazonaws.com", names=names.environment
        )
        self.vpc_config = None if platform.vpc is None else platform.vpc.request
        self.image = names.environment.image(MONITORING, tag(MONITORING))
        platform.capture.grant_read(self.role, f"{names.model}/")
        platform.key.grant_outputs(self.role)
        platform.key.grant_volumes(self.role)
        platform.repositories.grant_pull(self.role, MONITORING)
        platform.grant_running(self.role, names.environment.job_logs("Processing"))

    def _every(self, timetable: str, job: dict[str, Any], *, what: str, scheduler: str, description: str) -> None:
        """Create `job` on a timetable, as a role called `scheduler` that may do that alone."""
        names, platform = self._names, self._platform
        role = self._scheduler_role(scheduler, any_invocation(job["ProcessingJobName"]))
        aws.SchedulerSchedule(
            self,
            "schedule",
            name=f"{names.base}-{what}",
            description=description,
            schedule_expression=expression(timetable),
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=platform.key.arn,
            target={
                "arn": CREATE_PROCESSING_JOB,
                "role_arn": role.arn,
                "input": json.dumps(job | {"Tags": job_tags(self)}),
            },
            depends_on=[self.role.attach(), role.attach()],
        )

    def _scheduler_role(self, name: str, jobs: str) -> ServiceRole:
        names = self._names
        role = ServiceRole(
            self, "role", name=f"{names.base}-{name}", service="scheduler.amazonaws.com", names=names.environment
        )
        prefix = f"arn:aws:sagemaker:{names.environment.region}:{names.environment.account}:processing-job"
        role.grant(
            allow(["sagemaker:CreateProcessingJob", "sagemaker:AddTags"], [f"{prefix}/{jobs}"]),
            allow(["iam:PassRole"], [self.role.arn], StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"}),
        )
        self._platform.key.grant_decrypt(role)  # the schedule's input
        return role
