"""A model's governor and the events that reach it, for tests."""

from monitoring.governor.rules import Spec

ENDPOINT = {"Endpoint": "sagestack-test-flight-delay"}
NAMESPACE = "sagestack/monitoring"
SPEC = Spec(
    schema_version=2,
    model="flight-delay",
    pipeline="sagestack-test-flight-delay",
    table="sagestack-test-flight-delay-retraining",
    data_bucket="governed-data",
    data_prefix="flight-delay/labelled/",
    cooldown_days=75,
    max_runs_a_month=4,
    minimum_new_files=3,
    minimum_new_bytes=0,
    on_drift=True,
    breached_windows=1,
    of_windows=1,
    window_days=31,
    windows={"namespace": NAMESPACE, "metric": "SampleCount", "dimensions": ENDPOINT},
    watched=[
        {"alarm": "drift", "threshold": 0.2, "namespace": NAMESPACE, "metric": "MaxFeature", "dimensions": ENDPOINT}
    ],
    monitor_role="arn:aws:iam::123456789012:role/monitor",
)


def event(source, detail_type, detail, *, id_="9f6b2c1e", time="2013-04-01T06:00:00Z"):
    return {"id": id_, "time": time, "source": source, "detail-type": detail_type, "detail": detail}


def created(key="flight-delay/labelled/2013-03.parquet", bucket=SPEC.data_bucket, **head):
    return event("aws.s3", "Object Created", {"bucket": {"name": bucket}, "object": {"key": key}}, **head)


def alarm(value="ALARM", name="drift", **head):
    detail = {"alarmName": name, "state": {"value": value}}
    return event("aws.cloudwatch", "CloudWatch Alarm State Change", detail, **head)


def window(role=SPEC.monitor_role, status="Completed", **head):
    detail = {"ProcessingJobName": "flight-delay-drift-1", "ProcessingJobStatus": status, "RoleArn": role}
    return event("aws.sagemaker", "SageMaker Processing Job State Change", detail, **head)


def asked(model="flight-delay", *, reason="new fares", by="ada", **head):
    return event("sagestack", "Retraining Requested", {"model": model, "reason": reason, "by": by}, **head)
