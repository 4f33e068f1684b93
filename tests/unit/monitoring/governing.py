"""A model's governor and the events that reach it, for tests."""

from dataclasses import replace

from monitoring.governor.gates import Registered
from monitoring.governor.spec import AutoApproval, Debounce, NewData, Series, Spec, Watch, WatchedAlarm

ENDPOINT = {"Endpoint": "sagestack-test-flight-delay"}
NAMESPACE = "sagestack/monitoring"
ACCOUNT = "arn:aws:{}:us-east-1:123456789012:{}"


def series(metric):
    return Series(NAMESPACE, metric, ENDPOINT)


DRIFT = Watch(
    kind="drift",
    job_role="arn:aws:iam::123456789012:role/monitor",
    windows=series("SampleCount"),
    window_days=31,
    breached=1,
    of=1,
    alarms=(WatchedAlarm("drift", series("MaxFeature"), "at least", 0.2),),
)
QUALITY = replace(
    DRIFT,
    kind="quality",
    job_role="arn:aws:iam::123456789012:role/quality",
    alarms=(WatchedAlarm("quality", series("AUC"), "below", 0.6),),
)
DEBOUNCE = Debounce(
    minutes=15,
    schedules="sagestack-test-flight-delay",
    function=ACCOUNT.format("lambda", "function:sagestack-test-flight-delay-governor"),
    role="arn:aws:iam::123456789012:role/debounce",
    undecided=ACCOUNT.format("sqs", "sagestack-test-undecided"),
    key=ACCOUNT.format("kms", "key/1"),
)
AUTO_APPROVAL = AutoApproval(
    metric="auc", higher_is_better=True, limit=0.7, champion_margin=0.01, started_by=("drift",), max_a_month=2
)
REGISTERED = Registered(number="3", started_by="drift", value=0.72, champion=0.71)
SPEC = Spec(
    schema_version=4,
    model="flight-delay",
    pipeline="sagestack-test-flight-delay",
    table="sagestack-test-flight-delay-retraining",
    data_bucket="governed-data",
    data_prefix="flight-delay/labelled/",
    cooldown_days=75,
    max_runs_a_month=4,
    cost_cap=None,
    new_data=NewData(minimum_files=3, minimum_bytes=0, minimum_rows=0, debounce=None),
    watches=(DRIFT, QUALITY),
    auto_approval=None,
)


def of_new_data(**changes):
    """The rules, with others for new data."""
    return replace(SPEC, new_data=replace(SPEC.new_data, **changes))


def of_windows(breached, of):
    """The rules, with so many windows of drift needed among so many."""
    return replace(SPEC, watches=(replace(DRIFT, breached=breached, of=of), QUALITY))


def event(source, detail_type, detail, *, id_="9f6b2c1e", time="2013-04-01T06:00:00Z"):
    return {"id": id_, "time": time, "source": source, "detail-type": detail_type, "detail": detail}


def created(key="flight-delay/labelled/2013-03.parquet", bucket=SPEC.data_bucket, **head):
    return event("aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": {"key": key}}, **head)


def alarm(value="ALARM", name="drift", **head):
    detail = {"alarmName": name, "state": {"value": value}}
    return event("aws.cloudwatch", "CloudWatch Alarm State Change", detail, **head)


def window(role=DRIFT.job_role, status="Completed", **head):
    detail = {"ProcessingJobName": "flight-delay-drift-1", "ProcessingJobStatus": status, "RoleArn": role}
    return event("aws.sagemaker", "SageMaker Processing Job State Change", detail, **head)


def asked(model="flight-delay", *, reason="new fares", by="ada", **head):
    return event("sagestack", "Retraining Requested", {"model": model, "reason": reason, "by": by}, **head)


def settled(what="new data flight-delay/labelled/2013-03.parquet", **head):
    return event("sagestack", "Labelled Data Settled", {"what": what}, **head)


def registered(package, **head):
    return event("aws.sagemaker", "SageMaker Model Package State Change", {"ModelPackageArn": package}, **head)
