"""What brings events to the governor: rules on new data, drift, time and people."""

import json
from dataclasses import dataclass
from typing import Any, Final

from infra.config import ModelConfig, RetrainingConfig
from infra.constructs.alarms import DriftAlarms
from infra.constructs.governor import Governor
from infra.constructs.metrics import Metric, monitoring_metric
from infra.constructs.platform import Platform
from infra.constructs.schedules import expression
from infra.constructs.training_pipeline import TrainingPipeline
from infra.naming import ModelNames
from infra.provider import Construct, aws
from monitoring import contract

BYTES_A_MB: Final = 1_000_000
WINDOW_DAYS: Final = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 31}
"""Days in which there is a window at least."""


@dataclass(frozen=True)
class WatchedDrift:
    """What tells of drift: the alarms, and the role of the jobs that look for it."""

    alarms: DriftAlarms
    job_role_arn: str
    schedule: str


class Retraining(Construct):
    """New data, drift, time and people ask; the governor decides and starts the pipeline, one run at a time."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        model: ModelConfig,
        names: ModelNames,
        platform: Platform,
        pipeline: TrainingPipeline,
        drift: WatchedDrift | None,
    ) -> None:
        super().__init__(scope, id_)
        self._model, self._names, self._platform = model, names, platform
        retraining = model.retraining
        drift = drift if retraining.on_drift else None
        spec = self._brakes(retraining) | self._place(pipeline) | self._watched(drift)
        self.governor = Governor(self, "governor", names=names, platform=platform, pipeline=pipeline, spec=spec)
        self._rule("requested", pattern=self._requested())
        if retraining.new_data is not None:
            self._rule("new-data", pattern=self._new_data())
        if retraining.schedule is not None:
            self._rule("schedule", schedule=expression(retraining.schedule))
        if drift is not None:
            self._rule("drift", pattern=_raised(drift))
            self._rule("window", pattern=_window_ended(drift))

    @staticmethod
    def _brakes(retraining: RetrainingConfig) -> dict[str, Any]:
        new_data = retraining.new_data
        return {
            "cooldown_days": retraining.cooldown_days,
            "max_runs_a_month": retraining.max_runs_a_month,
            "minimum_new_files": None if new_data is None else new_data.minimum_files,
            "minimum_new_bytes": 0 if new_data is None else round(new_data.minimum_mb * BYTES_A_MB),
            "on_drift": retraining.on_drift,
            "breached_windows": retraining.drift_windows.breached,
            "of_windows": retraining.drift_windows.of,
        }

    def _place(self, pipeline: TrainingPipeline) -> dict[str, Any]:
        return {
            "schema_version": 2,
            "model": self._model.name,
            "pipeline": pipeline.name,
            "table": self._names.ledger,
            "data_bucket": self._platform.data.name,
            "data_prefix": self._names.data_prefix,
        }

    def _watched(self, drift: WatchedDrift | None) -> dict[str, Any]:
        """Every window publishes its number of rows; those of the watched alarms' metrics that it could compute."""
        if drift is None:
            return {"window_days": 0, "windows": None, "watched": [], "monitor_role": None}
        watched = [
            {"alarm": alarm.name, "threshold": alarm.threshold, **_named(alarm.metric)} for alarm in drift.alarms.asking
        ]
        return {
            "window_days": WINDOW_DAYS[drift.schedule],
            "windows": _named(monitoring_metric(contract.SAMPLE_COUNT_METRIC, self._names.base)),
            "watched": watched,
            "monitor_role": drift.job_role_arn,
        }

    def _requested(self) -> dict[str, Any]:
        return {
            "source": [contract.EVENT_SOURCE],
            "detail-type": [contract.RETRAINING_REQUESTED],
            "detail": {"model": [self._model.name]},
        }

    def _new_data(self) -> dict[str, Any]:
        detail = {
            "bucket": {"name": [self._platform.data.name]},
            "object": {"key": [{"prefix": self._names.data_prefix}]},
        }
        return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}

    def _rule(self, id_: str, *, pattern: dict[str, Any] | None = None, schedule: str | None = None) -> None:
        scope = Construct(self, id_)
        rule = aws.CloudwatchEventRule(
            scope,
            "rule",
            name=f"{self._names.base}-{id_}",
            description=f"Asks the governor whether {self._model.name} is retrained",
            event_pattern=None if pattern is None else json.dumps(pattern),
            schedule_expression=schedule,
        )
        function = self.governor.function
        aws.CloudwatchEventTarget(scope, "target", rule=rule.name, arn=function.arn)
        aws.LambdaPermission(
            scope,
            "permission",
            statement_id=f"events-{id_}",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
        )


def _raised(drift: WatchedDrift) -> dict[str, Any]:
    detail = {"alarmName": drift.alarms.names, "state": {"value": ["ALARM"]}}
    return {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "detail": detail}


def _window_ended(drift: WatchedDrift) -> dict[str, Any]:
    """An alarm tells its state once, however long a drift lasts; a drift job's end tells of each window."""
    detail = {"RoleArn": [drift.job_role_arn], "ProcessingJobStatus": ["Completed"]}
    return {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Processing Job State Change"], "detail": detail}


def _named(metric: Metric) -> dict[str, Any]:
    return {"namespace": metric.namespace, "metric": metric.name, "dimensions": dict(metric.dimensions)}
