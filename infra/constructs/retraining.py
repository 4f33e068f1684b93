"""What brings events to the governor: rules on new data, alarms, time and people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from infra.config import ModelConfig, NewDataConfig
from infra.constructs.alarm import Alarm
from infra.constructs.debounce import Debounce
from infra.constructs.governor import Governor
from infra.constructs.metrics import Metric
from infra.constructs.platform import Platform
from infra.constructs.schedules import expression
from infra.constructs.training_pipeline import TrainingPipeline
from infra.naming import ModelNames
from infra.prices import VOLUME_GB_MONTH, prices
from infra.provider import Construct, aws
from monitoring import contract

BYTES_A_MB: Final = 1_000_000
HOURS_A_MONTH: Final = 730
WINDOW_DAYS: Final = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 31}
"""Days in which there is a window at least."""
SPEC_VERSION: Final = 4


@dataclass(frozen=True)
class Watched:
    """A monitoring job whose alarms ask for a run.

    Attributes:
        kind: On whose behalf they ask.
        alarms: Those that ask, from their thresholds on.
        windows: The metric that every window publishes, whatever it finds.
        job_role_arn: The role that only this job has.
        schedule: How often there is a window.
    """

    kind: Literal["drift", "quality"]
    alarms: Sequence[Alarm]
    windows: Metric
    job_role_arn: str
    schedule: str


class Retraining(Construct):
    """New data, alarms, time and people ask; the governor decides and starts the pipeline, one run at a time."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        model: ModelConfig,
        names: ModelNames,
        platform: Platform,
        pipeline: TrainingPipeline,
        watched: Sequence[Watched],
    ) -> None:
        super().__init__(scope, id_)
        self._model, self._names, self._platform = model, names, platform
        retraining = model.retraining
        asking = {"drift": retraining.on_drift, "quality": retraining.on_quality}
        watched = [one for one in watched if asking[one.kind]]
        debounce = self._debounce(retraining.new_data)
        self.governor = Governor(
            self,
            "governor",
            names=names,
            platform=platform,
            pipeline=pipeline,
            spec=self._spec(pipeline, debounce, watched),
            debounce=debounce,
        )
        self._rule("requested", pattern=self._requested())
        if retraining.new_data is not None:
            self._rule("new-data", pattern=self._new_data())
        if retraining.schedule is not None:
            self._rule("schedule", schedule=expression(retraining.schedule))
        if retraining.auto_approve is not None:
            self._rule("registered", pattern=self._registered())
        for one in watched:
            self._rule(one.kind, pattern=_raised(one))
        if watched:
            self._rule("window", pattern=_window_ended(watched))

    def _debounce(self, new_data: NewDataConfig | None) -> Debounce | None:
        if new_data is None or new_data.debounce_minutes == 0:
            return None
        minutes = new_data.debounce_minutes
        return Debounce(self, "debounce", names=self._names, platform=self._platform, minutes=minutes)

    def _spec(
        self, pipeline: TrainingPipeline, debounce: Debounce | None, watched: Sequence[Watched]
    ) -> dict[str, Any]:
        """What `monitoring.governor.spec.Spec` reads."""
        retraining = self._model.retraining
        new_data = retraining.new_data
        return {
            "schema_version": SPEC_VERSION,
            "model": self._model.name,
            "pipeline": pipeline.name,
            "table": self._names.ledger,
            "data_bucket": self._platform.data.name,
            "data_prefix": self._names.data_prefix,
            "cooldown_days": retraining.cooldown_days,
            "max_runs_a_month": retraining.max_runs_a_month,
            "cost_cap": self._cost_cap(),
            "new_data": new_data and _new_data(new_data, debounce),
            "watches": [self._watch(one) for one in watched],
            "auto_approval": self._auto_approval(),
        }

    def _auto_approval(self) -> dict[str, Any] | None:
        gates, gate = self._model.retraining.auto_approve, self._model.training.gate
        if gates is None:
            return None
        return {
            "metric": gate.metric,
            "higher_is_better": gate.higher_is_better,
            "limit": gates.minimum if gate.higher_is_better else gates.maximum,
            "champion_margin": gates.champion_margin,
            "started_by": list(gates.started_by),
            "max_a_month": gates.max_a_month,
        }

    def _cost_cap(self) -> dict[str, Any] | None:
        """An hour of a job's machine, with its volume where the price of one is known."""
        cap, machine = self._model.retraining.max_usd_a_month, self._model.training.instance
        if cap is None:
            return None
        known = prices(self._names.environment.region)
        hour, volume = known.instance_hour(machine.type), known.of(VOLUME_GB_MONTH)
        if hour is None:
            raise ValueError(f"the price of {machine.type} is not known")  # the configuration was checked for it
        storage = volume.usd * machine.volume_gb / HOURS_A_MONTH if volume else 0
        return {"max_usd_a_month": cap, "usd_an_hour": round(hour.usd + storage, 6)}

    def _watch(self, watched: Watched) -> dict[str, Any]:
        """Drift may have to last for some windows; a fall of quality has labels to prove it."""
        windows = (
            self._model.retraining.drift_windows.model_dump() if watched.kind == "drift" else {"breached": 1, "of": 1}
        )
        return {
            "kind": watched.kind,
            "job_role": watched.job_role_arn,
            "windows": _series(watched.windows),
            "window_days": WINDOW_DAYS[watched.schedule],
            **windows,
            "alarms": [
                {
                    "name": alarm.name,
                    "series": _series(alarm.metric),
                    "comparison": alarm.comparison,
                    "threshold": alarm.threshold,
                }
                for alarm in watched.alarms
            ],
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

    def _registered(self) -> dict[str, Any]:
        detail = {"ModelPackageGroupName": [self._names.base], "ModelApprovalStatus": ["PendingManualApproval"]}
        return {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": detail}

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


def _new_data(new_data: NewDataConfig, debounce: Debounce | None) -> dict[str, Any]:
    return {
        "minimum_files": new_data.minimum_files,
        "minimum_bytes": round(new_data.minimum_mb * BYTES_A_MB),
        "minimum_rows": new_data.minimum_rows,
        "debounce": debounce and debounce.spec(),
    }


def _raised(watched: Watched) -> dict[str, Any]:
    detail = {"alarmName": [alarm.name for alarm in watched.alarms], "state": {"value": ["ALARM"]}}
    return {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "detail": detail}


def _window_ended(watched: Sequence[Watched]) -> dict[str, Any]:
    """An alarm tells its state once, however long a drift lasts; a monitoring job's end tells of each window."""
    detail = {"RoleArn": [one.job_role_arn for one in watched], "ProcessingJobStatus": ["Completed"]}
    return {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Processing Job State Change"], "detail": detail}


def _series(metric: Metric) -> dict[str, Any]:
    return {"namespace": metric.namespace, "metric": metric.name, "dimensions": dict(metric.dimensions)}
