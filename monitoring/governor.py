"""The retraining governor: a Lambda function that every trigger goes through, alone in starting the pipeline.

It starts it only if none is in flight, the cooldown has passed, and there is reason enough. Its function runs with a
reserved concurrency of 1, so two triggers cannot both find "none in flight"; an event delivered twice carries the same
request token, and starts nothing twice. Standard library and boto3 only: AWS's runtime brings nothing else.

`SAGESTACK_GOVERNOR_SPEC` is a JSON object: `schema_version` (1), `model`, `pipeline`, `data_bucket`, `data_prefix`,
`cooldown_days`, `minimum_new_files` (null: new data starts nothing) and `on_drift`.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import boto3

from monitoring.contract import EVENT_SOURCE, GOVERNOR_SPEC_VARIABLE, RETRAINING_REQUESTED, STARTED_BY_PARAMETER

SCHEMA_VERSION: Final = 1
IN_FLIGHT: Final = ("Executing", "Stopping")
UNSUCCESSFUL: Final = ("Failed", "Stopped")
StartedBy = Literal["new-data", "drift", "schedule", "person"]


@dataclass(frozen=True)
class Spec:
    """What the infrastructure tells the governor about one model."""

    schema_version: int
    model: str
    pipeline: str
    data_bucket: str
    data_prefix: str
    cooldown_days: float
    minimum_new_files: int | None
    on_drift: bool


@dataclass(frozen=True)
class Run:
    """One pipeline execution: when it was started, and what became of it, in SageMaker's word."""

    started: datetime
    status: str


@dataclass(frozen=True)
class Trigger:
    """Why retraining is thought of: on whose behalf, and what happened, in words."""

    started_by: StartedBy
    what: str


@dataclass(frozen=True)
class Decision:
    """Whether a run is started, and why or why not."""

    start: bool
    reason: str
    started_by: StartedBy


def decide(trigger: Trigger, now: datetime, *, runs: Sequence[Run], new_files: int, spec: Spec) -> Decision:
    """Decide about one trigger.

    Args:
        trigger: What happened.
        now: The event's own time, so that an event delivered again is decided as it was the first time.
        runs: Every run so far, in any order.
        new_files: Labelled files that arrived after the last run was started; all there are if none ever was.
        spec: The model's rules.

    Returns:
        The first rule that speaks against a run, in this order: a run in flight (nobody passes), the trigger switched
        off, the cooldown since the last run's start (a person passes; a run that failed or was stopped does not count,
        so that it blocks nothing for ever), too few new files. Otherwise a start.
    """
    objection = _in_flight(runs) or _switched_off(trigger, spec) or _cooling(trigger, now, runs, spec)
    objection = objection or _too_little(trigger, new_files, spec)
    if objection:
        return Decision(start=False, reason=f"{trigger.what}: {objection}", started_by=trigger.started_by)
    return Decision(start=True, reason=trigger.what, started_by=trigger.started_by)


def _in_flight(runs: Sequence[Run]) -> str | None:
    running = next((run for run in runs if run.status in IN_FLIGHT), None)
    return f"a run started at {running.started:%Y-%m-%dT%H:%M:%SZ} is still in flight" if running else None


def _switched_off(trigger: Trigger, spec: Spec) -> str | None:
    if trigger.started_by == "drift" and not spec.on_drift:
        return "drift starts nothing, by the model's configuration"
    if trigger.started_by == "new-data" and spec.minimum_new_files is None:
        return "new data starts nothing, by the model's configuration"
    return None


def _cooling(trigger: Trigger, now: datetime, runs: Sequence[Run], spec: Spec) -> str | None:
    started = [run.started for run in runs if run.status not in UNSUCCESSFUL]
    if trigger.started_by == "person" or not started:
        return None
    until = max(started) + timedelta(days=spec.cooldown_days)
    return f"the cooldown lasts until {until:%Y-%m-%dT%H:%M:%SZ}" if now < until else None


def _too_little(trigger: Trigger, new_files: int, spec: Spec) -> str | None:
    if trigger.started_by != "new-data" or spec.minimum_new_files is None or new_files >= spec.minimum_new_files:
        return None
    return f"{new_files} new file(s) since the last run was started, {spec.minimum_new_files} needed"


def trigger_of(event: dict[str, Any], spec: Spec) -> Trigger | None:
    """What an EventBridge event asks for; None if it is none of its business (an alarm that cleared, another key).

    Raises:
        ValueError: an event of a kind that no rule should send here.
    """
    kind, detail = (event["source"], event["detail-type"]), event["detail"]
    if kind == ("aws.s3", "Object Created"):
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
        ours = bucket == spec.data_bucket and key.startswith(spec.data_prefix)
        return Trigger("new-data", f"new data {key}") if ours else None
    if kind == ("aws.cloudwatch", "CloudWatch Alarm State Change"):
        alarmed = detail["state"]["value"] == "ALARM"
        return Trigger("drift", f"alarm {detail['alarmName']}") if alarmed else None
    if kind == (EVENT_SOURCE, RETRAINING_REQUESTED):
        return Trigger("person", f"asked for: {detail.get('reason') or 'no reason given'}")
    if event["detail-type"] == "Scheduled Event":
        return Trigger("schedule", "the schedule")
    raise ValueError(f"the governor knows no event {kind[1]!r} from {kind[0]!r}")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Decide about one event, start the pipeline if so decided, and leave the decision in the log.

    Raises:
        ValueError: the spec or the event is not one this governor knows.
    """
    spec = _spec(os.environ[GOVERNOR_SPEC_VARIABLE])
    trigger = trigger_of(event, spec)
    if trigger is None:
        return _record(
            {"start": False, "reason": f"{event['detail-type']}: no reason to retrain {spec.model}"}, event, spec
        )
    runs = _runs(spec)
    new_files = _new_files(spec, runs) if trigger.started_by == "new-data" else 0
    decision = decide(trigger, datetime.fromisoformat(event["time"]), runs=runs, new_files=new_files, spec=spec)
    execution = _start(spec, decision, event["id"]) if decision.start else None
    return _record({**asdict(decision), "execution": execution}, event, spec)


def _spec(text: str) -> Spec:
    document = json.loads(text)
    keys = Spec.__dataclass_fields__.keys()
    if document.get("schema_version") != SCHEMA_VERSION or document.keys() != keys:
        raise ValueError(
            f"{GOVERNOR_SPEC_VARIABLE} must have schema_version {SCHEMA_VERSION} and the keys {', '.join(keys)}"
        )
    return Spec(**document)


def _runs(spec: Spec) -> list[Run]:
    pages = boto3.client("sagemaker").get_paginator("list_pipeline_executions").paginate(PipelineName=spec.pipeline)
    found = [summary for page in pages for summary in page["PipelineExecutionSummaries"]]
    return [Run(one["StartTime"].astimezone(UTC), one["PipelineExecutionStatus"]) for one in found]


def _new_files(spec: Spec, runs: Sequence[Run]) -> int:
    last = max((run.started for run in runs), default=None)
    pages = (
        boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=spec.data_bucket, Prefix=spec.data_prefix)
    )
    files = [item for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".parquet")]
    return sum(last is None or item["LastModified"] > last for item in files)


def _start(spec: Spec, decision: Decision, event_id: str) -> str:
    """Start the pipeline; the event's id makes the token (64 characters; AWS asks for 32 or more)."""
    answer = boto3.client("sagemaker").start_pipeline_execution(
        PipelineName=spec.pipeline,
        PipelineExecutionDescription=decision.reason[:3072],
        PipelineParameters=[{"Name": STARTED_BY_PARAMETER, "Value": decision.started_by}],
        ClientRequestToken=hashlib.sha256(f"{spec.pipeline} {event_id}".encode()).hexdigest(),
    )
    execution: str = answer["PipelineExecutionArn"]
    return execution


def _record(decision: dict[str, Any], event: dict[str, Any], spec: Spec) -> dict[str, Any]:
    recorded = {"decision": {"model": spec.model, "event": event["id"], "time": event["time"], **decision}}
    print(json.dumps(recorded), flush=True)  # noqa: T201 - standard output is the function's log
    return recorded
