"""The drift job on three hosts of the local cloud: one report, of all that was captured."""

import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.contract import BASELINE_INPUT, DRIFT_COMMAND, REPORT_OUTPUT, SPEC_VARIABLE, WINDOW_END_VARIABLE
from monitoring.profile import Profile
from serving.contract import split_variable

pytestmark = pytest.mark.local_cloud
BUCKET = "several-hosts"
ML = "/opt/ml/processing"
SPEC = {
    "schema_version": 1,
    "model": "churn",
    "problem": "binary-classification",
    "label": "left",
    "time": "day",
    "numeric": ["age"],
    "categorical": ["plan"],
    "endpoint": "churn",
    "variant": "main",
    "capture_uri": f"s3://{BUCKET}/captured",
    "schedule": "daily",
    "psi_threshold": 0.2,
    "minimum_rows": 10,
}


def baseline():
    rows = pl.DataFrame({"age": np.arange(20.0, 80.0), "plan": ["a", "b", "c"] * 20})
    scores = pl.Series("score", np.linspace(0, 1, 60))
    bins = (NumericBins.fit(rows["age"]), CategoricalBins.fit(rows["plan"]))
    return Baseline("churn", "binary-classification", "0", Profile.of(bins, NumericBins.fit(scores), rows, scores))


def captured(day, hour):
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    moment = day + timedelta(hours=hour)
    record = {
        "captureData": {
            "endpointInput": side | {"data": "90,a\n91,b"},
            "endpointOutput": side | {"data": "0.5\n0.25"},
        },
        "eventMetadata": {"eventId": str(hour), "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
        "eventVersion": "0",
    }
    return f"{moment:%Y/%m/%d/%H}/a.jsonl", json.dumps(record).encode()


def test_three_hosts_leave_one_report_of_all_hours(cloud):
    s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    today = cloud.now().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    s3.put_object(Bucket=BUCKET, Key="baseline/baseline.json", Body=json.dumps(baseline().to_json()))
    for hour in range(24):
        key, body = captured(yesterday, hour)
        s3.put_object(Bucket=BUCKET, Key=f"captured/churn/main/{key}", Body=body)
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/monitoring:1"
    source = {"S3Uri": f"s3://{BUCKET}/baseline", "LocalPath": f"{ML}/{BASELINE_INPUT}"}
    target = {"S3Uri": f"s3://{BUCKET}/report", "LocalPath": f"{ML}/{REPORT_OUTPUT}", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": 3, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    sagemaker.create_processing_job(
        ProcessingJobName="drift-on-three",
        RoleArn="arn:aws:iam::123456789012:role/local",
        AppSpecification={"ImageUri": image, "ContainerArguments": [DRIFT_COMMAND]},
        Environment=split_variable(SPEC_VARIABLE, json.dumps(SPEC)) | {WINDOW_END_VARIABLE: today.isoformat()},
        ProcessingInputs=[
            {"InputName": "baseline", "S3Input": source | {"S3DataType": "S3Prefix", "S3InputMode": "File"}}
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "report", "S3Output": target}]},
        ProcessingResources={"ClusterConfig": cluster},
    )
    cloud.settle()
    job = sagemaker.describe_processing_job(ProcessingJobName="drift-on-three")
    assert job["ProcessingJobStatus"] == "Completed", job["FailureReason"]
    assert job["ExitMessage"].startswith("drift in 48 rows: age")
    report = json.loads(s3.get_object(Bucket=BUCKET, Key="report/drift_report.json")["Body"].read())
    assert (report["records"]["files"], report["records"]["used"], report["records"]["rows"]) == (24, 24, 48)
    parts = s3.list_objects_v2(Bucket=BUCKET, Prefix="report/parts/drift-on-three/")["Contents"]
    assert [each["Key"].rpartition("/")[2] for each in parts] == ["algo-2.json", "algo-3.json"]
