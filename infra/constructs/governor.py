"""The governor's function: its code, its role, its log, and what becomes of an event that it fails on."""

import json
from collections.abc import Mapping
from typing import Any

from infra.constructs.alarm import Alarm
from infra.constructs.debounce import Debounce
from infra.constructs.lambda_code import LambdaCode
from infra.constructs.ledger import Ledger
from infra.constructs.metrics import function_metric
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.training_pipeline import TrainingPipeline
from infra.images import PROJECT
from infra.naming import ModelNames
from infra.provider import Construct, aws, file_asset
from monitoring import contract

CODE = (
    "monitoring/__init__.py",
    "monitoring/contract.py",
    "monitoring/governor/__init__.py",
    "monitoring/governor/approval.py",
    "monitoring/governor/costs.py",
    "monitoring/governor/debounce.py",
    "monitoring/governor/function.py",
    "monitoring/governor/gates.py",
    "monitoring/governor/labelled_rows.py",
    "monitoring/governor/ledger.py",
    "monitoring/governor/outlook.py",
    "monitoring/governor/parquet_footer.py",
    "monitoring/governor/request.py",
    "monitoring/governor/rules.py",
    "monitoring/governor/sources.py",
    "monitoring/governor/spec.py",
    "monitoring/governor/triggers.py",
)
RUNTIME = "python3.12"
HOUR_SECONDS, ALARM_HOURS = 3_600, 24
"""The alarm stands for a day after the last event that was failed on: nobody has to empty a queue to clear it."""
RETRIES, OLDEST_EVENT_SECONDS = 2, 6 * 3_600


class Governor(Construct):
    """A Lambda function that may start one pipeline, and whose failures end in a queue and not in silence."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: ModelNames,
        platform: Platform,
        pipeline: TrainingPipeline,
        spec: Mapping[str, Any],
        debounce: Debounce | None,
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._platform = names, platform
        self.name = names.governor
        ledger = Ledger(self, "ledger", names=names, platform=platform)
        logs = aws.CloudwatchLogGroup(
            self,
            "logs",
            name=f"/aws/lambda/{self.name}",
            retention_in_days=platform.log_days,
            kms_key_id=platform.key.arn,
        )
        role = self._role(pipeline, ledger, logs)
        if debounce is not None:
            debounce.grant_put_off(role)
        if spec["cost_cap"] is not None:
            pipeline.grant_measure(role)
        if spec["auto_approval"] is not None:
            self._grant_approve(role)
        if spec["new_data"] is not None and spec["new_data"]["minimum_rows"]:
            platform.data.grant_get(role, names.data_prefix)  # the ends of files tell how many rows they have
        self.function = self._function(role, spec, depends_on=[role.attach(), logs])
        self._retry()
        self.alarm = self._alarm()

    def _role(self, pipeline: TrainingPipeline, ledger: Ledger, logs: aws.CloudwatchLogGroup) -> ServiceRole:
        role = ServiceRole(self, "role", name=self.name, service="lambda.amazonaws.com", names=self._names.environment)
        pipeline.grant_start(role)
        self._platform.data.grant_list(role, self._names.data_prefix)
        ledger.grant_keep(role)
        self._platform.undecided.grant_send(role)
        names = self._names.environment
        role.grant(
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{logs.arn}:*"]),
            allow(["cloudwatch:GetMetricData"], ["*"]),
            allow(["events:PutEvents"], [f"arn:aws:events:{names.region}:{names.account}:event-bus/default"]),
        )
        return role

    def _grant_approve(self, role: ServiceRole) -> None:
        """Read what a run has found out, and approve this model's versions."""
        names = self._names.environment
        packages = f"arn:aws:sagemaker:{names.region}:{names.account}:model-package/{self._names.base}/*"
        role.grant(allow(["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], [packages]))
        self._platform.registry.grant_read(role, f"{self._names.model}/runs/")

    def _function(self, role: ServiceRole, spec: Mapping[str, Any], *, depends_on: list[Any]) -> aws.LambdaFunction:
        code = LambdaCode.of(*CODE)
        return aws.LambdaFunction(
            self,
            "function",
            function_name=self.name,
            description=f"Decides whether {self._names.model} is retrained",
            role=role.arn,
            runtime=RUNTIME,
            handler=contract.GOVERNOR_HANDLER,
            filename=file_asset(self, "code", code.write(PROJECT / "build" / "lambda")),
            source_code_hash=code.sha256_base64,
            timeout=60,
            memory_size=256,
            reserved_concurrent_executions=1,  # decided one after the other, which spares the table its conflicts
            environment={"variables": {contract.GOVERNOR_SPEC_VARIABLE: json.dumps(spec, sort_keys=True)}},
            depends_on=depends_on,
        )

    def _retry(self) -> None:
        aws.LambdaFunctionEventInvokeConfig(
            self,
            "retries",
            function_name=self.function.function_name,
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=OLDEST_EVENT_SECONDS,
            destination_config={"on_failure": {"destination": self._platform.undecided.arn}},
        )

    def _alarm(self) -> Alarm:
        return Alarm(
            self,
            "alarm",
            name=f"{self.name}-undecided",
            metric=function_metric("AsyncEventsDropped", self.name, "Sum"),
            comparison="at least",
            threshold=1,
            period_seconds=HOUR_SECONDS,
            periods=ALARM_HOURS,
            datapoints=1,
            missing_data="notBreaching",  # Lambda publishes it only of an event that it gave up
            description=f"The retraining governor of {self._names.base} failed on an event.",
            severity="warning",
            runbook="governor-undecided",
            alerts=self._platform.alerts,
        )
