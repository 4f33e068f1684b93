"""The governor, a small Lambda function that every retraining goes through, and the rules that bring it events."""

import json
from collections.abc import Sequence
from typing import Any

from infra.config import ModelConfig
from infra.constructs.lambda_code import LambdaCode
from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.constructs.training_pipeline import TrainingPipeline
from infra.images import PROJECT
from infra.naming import ModelNames
from infra.provider import Construct, aws, file_asset
from monitoring import contract

CODE = ("monitoring/__init__.py", "monitoring/contract.py", "monitoring/governor.py")
RUNTIME = "python3.12"
LOG_RETENTION_DAYS = 365


class Retraining(Construct):
    """New data, drift alarms and people ask; the governor decides and starts the pipeline, one run at a time."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        model: ModelConfig,
        names: ModelNames,
        platform: Platform,
        pipeline: TrainingPipeline,
        drift_alarms: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._model, self._names, self._platform = model, names, platform
        self.function_name = f"{names.base}-governor"
        self.function = self._function(pipeline)
        self._rule(
            "requested",
            {
                "source": [contract.EVENT_SOURCE],
                "detail-type": [contract.RETRAINING_REQUESTED],
                "detail": {"model": [model.name]},
            },
        )
        if model.retraining.new_data is not None:
            self._rule("new-data", self._new_data())
        if model.retraining.on_drift and drift_alarms:
            self._rule("drift", self._drift(drift_alarms))

    def _function(self, pipeline: TrainingPipeline) -> aws.LambdaFunction:
        logs = aws.CloudwatchLogGroup(
            self,
            "logs",
            name=f"/aws/lambda/{self.function_name}",
            retention_in_days=LOG_RETENTION_DAYS,
            kms_key_id=self._platform.key.arn,
        )
        role = self._role(pipeline, logs)
        code = LambdaCode.of(*CODE)
        return aws.LambdaFunction(
            self,
            "function",
            function_name=self.function_name,
            description=f"Decides whether {self._model.name} is retrained",
            role=role.arn,
            runtime=RUNTIME,
            handler=contract.GOVERNOR_HANDLER,
            filename=file_asset(self, "code", code.write(PROJECT / "build" / "lambda")),
            source_code_hash=code.sha256_base64,
            timeout=60,
            memory_size=256,
            reserved_concurrent_executions=1,  # two triggers at once are decided one after the other
            environment={
                "variables": {contract.GOVERNOR_SPEC_VARIABLE: json.dumps(self._spec(pipeline), sort_keys=True)}
            },
            depends_on=[role.attach(), logs],
        )

    def _role(self, pipeline: TrainingPipeline, logs: aws.CloudwatchLogGroup) -> ServiceRole:
        role = ServiceRole(
            self, "role", name=self.function_name, service="lambda.amazonaws.com", names=self._names.environment
        )
        pipeline.grant_start(role)
        self._platform.data.grant_read(role, self._names.data_prefix)
        role.grant(allow(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{logs.arn}:*"]))
        return role

    def _spec(self, pipeline: TrainingPipeline) -> dict[str, Any]:
        retraining = self._model.retraining
        return {
            "schema_version": 1,
            "model": self._model.name,
            "pipeline": pipeline.name,
            "data_bucket": self._platform.data.name,
            "data_prefix": self._names.data_prefix,
            "cooldown_days": retraining.cooldown_days,
            "minimum_new_files": None if retraining.new_data is None else retraining.new_data.minimum_files,
            "on_drift": retraining.on_drift,
        }

    def _new_data(self) -> dict[str, Any]:
        detail = {
            "bucket": {"name": [self._platform.data.name]},
            "object": {"key": [{"prefix": self._names.data_prefix}]},
        }
        return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}

    @staticmethod
    def _drift(alarms: Sequence[str]) -> dict[str, Any]:
        detail = {"alarmName": list(alarms), "state": {"value": ["ALARM"]}}
        return {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "detail": detail}

    def _rule(self, id_: str, pattern: dict[str, Any]) -> None:
        scope = Construct(self, id_)
        rule = aws.CloudwatchEventRule(
            scope,
            "rule",
            name=f"{self._names.base}-{id_}",
            description=f"Asks the governor whether {self._model.name} is retrained",
            event_pattern=json.dumps(pattern),
        )
        aws.CloudwatchEventTarget(scope, "target", rule=rule.name, arn=self.function.arn)
        aws.LambdaPermission(
            scope,
            "permission",
            statement_id=f"events-{id_}",
            action="lambda:InvokeFunction",
            function_name=self.function.function_name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
        )
