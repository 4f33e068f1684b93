"""Batch transform: EventBridge Scheduler creates a transform job, and a rule tells people of one that failed.

The schedule's target is CreateTransformJob itself rather than a SageMaker pipeline with one transform step: it is one
resource and one role less, and a job's status says what a pipeline execution's would only repeat.
"""

import json

from infra.config import BatchTransformConfig, Release
from infra.constructs import pictures
from infra.constructs.dashboard import Picture
from infra.constructs.hosting import digest, execution_role
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.schedules import expression
from infra.constructs.tags import job_tags
from infra.naming import ModelNames
from infra.pipelines import transform_job
from infra.pipelines.scheduled import any_invocation
from infra.provider import Construct, aws

CREATE_TRANSFORM_JOB = "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob"
FAILED = "SageMaker Transform Job State Change"
"""Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""


class BatchTransform(Construct):
    """A model without an endpoint, a schedule, and a word to the environment's topic when a job fails."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: BatchTransformConfig,
        names: ModelNames,
        platform: Platform,
        release: Release,
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._platform, self._settings = names, platform, settings
        model = self._model(settings, release)
        job = transform_job(settings, names, model=model.name, kms_key=platform.key.arn)
        self._jobs = str(job["TransformJobName"]).split("<", 1)[0]
        scheduler = self._scheduler_role(any_invocation(job["TransformJobName"]))
        aws.SchedulerSchedule(
            self,
            "schedule",
            name=f"{names.base}-batch",
            description=f"Answers what lies in {names.batch_uri(settings.input)}",
            schedule_expression=expression(settings.schedule),
            flexible_time_window={"mode": "OFF"},
            kms_key_arn=platform.key.arn,
            target={
                "arn": CREATE_TRANSFORM_JOB,
                "role_arn": scheduler.arn,
                "input": json.dumps(job | {"Tags": job_tags(self)}),
            },
            depends_on=[scheduler.attach()],
        )
        self._tell_of_failures(self._model_name(release))

    def pictures(self) -> list[Picture]:
        """What the dashboard shows of its jobs."""
        region = self._names.environment.region
        return pictures.transform_jobs(self._jobs, self._failed, self._settings.instance_type, region)

    @property
    def _failed(self) -> str:
        """The rule that tells of failed jobs."""
        return f"{self._names.base}-failed"

    def _model(self, settings: BatchTransformConfig, release: Release) -> aws.SagemakerModel:
        names, platform = self._names, self._platform
        role = execution_role(self, names, platform, log_group=names.environment.job_logs("Transform"))
        platform.data.grant_read(role, f"{names.model}/{settings.input}/")
        platform.data.grant_write(role, f"{names.model}/{settings.output}/")
        platform.key.grant_outputs(role)
        platform.key.grant_volumes(role)
        return aws.SagemakerModel(
            Construct(self, f"release-{release.id}"),
            "model",
            name=self._model_name(release),
            execution_role_arn=role.arn,
            primary_container={"image": release.image, "model_data_url": release.model_data_url},
            enable_network_isolation=True,
            tags=release.tags,
            vpc_config=None if platform.vpc is None else platform.vpc.arguments,
            depends_on=[role.attach()],
            lifecycle={"create_before_destroy": True},
        )

    def _scheduler_role(self, jobs: str) -> ServiceRole:
        names = self._names
        role = ServiceRole(
            self,
            "schedule-role",
            name=f"{names.base}-schedule",
            service="scheduler.amazonaws.com",
            names=names.environment,
        )
        prefix = f"arn:aws:sagemaker:{names.environment.region}:{names.environment.account}:transform-job"
        role.grant(allow(["sagemaker:CreateTransformJob", "sagemaker:AddTags"], [f"{prefix}/{jobs}"]))
        self._platform.key.grant_decrypt(role)  # the schedule's input
        return role

    def _tell_of_failures(self, model: str) -> None:
        pattern = {
            "source": ["aws.sagemaker"],
            "detail-type": [FAILED],
            "detail": {"TransformJobStatus": ["Failed"], "ModelName": [model]},
        }
        rule = aws.CloudwatchEventRule(
            self,
            "failed",
            name=self._failed,
            description="[critical] A batch transform failed. Runbook: docs/runbooks/batch-failed.md",
            event_pattern=json.dumps(pattern),
        )
        aws.CloudwatchEventTarget(self, "alerts", rule=rule.name, arn=self._platform.alerts.arn)

    def _model_name(self, release: Release) -> str:
        vpc = self._platform.vpc
        return self._names.release(
            digest([release.image, release.model_data_url, *([] if vpc is None else vpc.content)])
        )
