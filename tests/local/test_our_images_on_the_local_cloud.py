"""Our own packages as training jobs and endpoints, on real flights: what the demo stands on."""

import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import cycle, islice

import pytest
from botocore.exceptions import ClientError

from infra.demo import flights
from serving.contract import CSV, split_variable
from training.contract import SPEC_VARIABLE, TRAIN_COMMAND

pytestmark = pytest.mark.local_cloud
ROLE = "arn:aws:iam::123456789012:role/local"
BUCKET = "our-images"
IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local"
INSTANCE = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
NUMERIC = ["departure_minute", "arrival_minute", "distance", "temp", "wind_speed", "visib"]
CATEGORICAL = ["carrier", "origin"]
SPEC = {
    "schema_version": 1,
    "model": "late",
    "problem": "binary-classification",
    "label": "late",
    "time": "scheduled_at",
    "numeric": NUMERIC,
    "categorical": CATEGORICAL,
    "hyperparameters": {"num_iterations": 20, "num_leaves": 15},
    "gate": {"metric": "auc", "minimum": 0.5},
}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": [CSV], "JsonContentTypes": ["application/json"]},
}


@pytest.fixture(scope="module")
def sample():
    columns = ["scheduled_at", "late", *NUMERIC, *CATEGORICAL]
    return flights.month(1).select(columns).gather_every(5)


@pytest.fixture(scope="module")
def trained(cloud, sample):
    """A finished training job: what it says of itself, by DescribeTrainingJob."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    middle = len(sample) * 4 // 5
    for channel, part in (("train", sample[:middle]), ("validation", sample[middle:])):
        file = BytesIO()
        part.write_parquet(file)
        cloud.client("s3").put_object(Bucket=BUCKET, Key=f"splits/{channel}/data.parquet", Body=file.getvalue())
    cloud.client("sagemaker").create_training_job(
        TrainingJobName="our-training",
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": f"{IMAGES}/training:1",
            "TrainingInputMode": "File",
            "ContainerArguments": [TRAIN_COMMAND],
            "MetricDefinitions": [{"Name": "validation:auc", "Regex": "validation_auc=([0-9.]+)"}],
        },
        Environment=split_variable(SPEC_VARIABLE, json.dumps(SPEC)),
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/splits/{channel}/"}},
            }
            for channel in ("train", "validation")
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig=INSTANCE,
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    cloud.settle()
    return cloud.client("sagemaker").describe_training_job(TrainingJobName="our-training")


@pytest.fixture(scope="module")
def endpoint(cloud, trained):
    """An endpoint that serves the trained model; `b` is a second configuration of the same."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(
        ModelName="ours",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": f"{IMAGES}/serving:1",
            "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    for name in ("ours-a", "ours-b"):
        variant = {
            "VariantName": "main",
            "ModelName": "ours",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        }
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], DataCaptureConfig=CAPTURE
        )
    sagemaker.create_endpoint(EndpointName="ours", EndpointConfigName="ours-a")
    cloud.settle()
    yield "ours"
    sagemaker.delete_endpoint(EndpointName="ours")
    cloud.settle()


def rows(sample):
    return [
        ",".join("" if value is None else str(value) for value in row).encode()
        for row in sample.select([*NUMERIC, *CATEGORICAL]).iter_rows()
    ]


def test_training_learns_something_of_the_flights(trained):
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    (metric,) = trained["FinalMetricDataList"]
    assert metric["Value"] > 0.6


def test_the_artifact_is_the_model_and_its_signature(cloud, trained):
    key = trained["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    archive = cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        assert set(tar.getnames()) == {"model.txt", "signature.json"}


def test_thousands_of_requests_are_answered_through_an_update_and_every_one_is_captured(cloud, endpoint, sample):
    sagemaker, runtime = cloud.client("sagemaker"), cloud.client("sagemaker-runtime")

    def ask(row):
        answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=row, ContentType=CSV, InferenceId="load")
        return float(answer["Body"].read().split(b",")[0])

    with ThreadPoolExecutor(4) as pool:
        first = list(pool.map(ask, islice(cycle(rows(sample)), 500)))
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="ours-b")
        rest = list(pool.map(ask, islice(cycle(rows(sample)), 1500)))
    cloud.settle()
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == "ours-b"
    assert all(0 <= score <= 1 for score in first + rest)
    assert rest[:500] == first
    assert sum(record["eventMetadata"].get("inferenceId") == "load" for record in captured(cloud)) == 2000


def captured(cloud):
    s3 = cloud.client("s3")
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="captured/")
    for key in (entry["Key"] for page in listed for entry in page.get("Contents", [])):
        yield from map(json.loads, s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().splitlines())


def test_a_bad_row_is_a_client_error_that_says_what_is_wrong(cloud, endpoint):
    with pytest.raises(ClientError, match=r"Received client error \(400\)") as caught:
        cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"1,2", ContentType=CSV)
    assert caught.value.response["OriginalStatusCode"] == 400


def test_a_batch_transform_scores_as_the_endpoint_does(cloud, endpoint, sample):
    body = b"\n".join(rows(sample)[:200])
    cloud.put(f"s3://{BUCKET}/batch/in/a.csv", body)
    cloud.client("sagemaker").create_transform_job(
        TransformJobName="our-batch",
        ModelName="ours",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/in/"}},
            "ContentType": CSV,
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/batch/out", "Accept": CSV, "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    cloud.settle()
    job = cloud.client("sagemaker").describe_transform_job(TransformJobName="our-batch")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    runtime = cloud.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=CSV, Accept=CSV)
    assert cloud.get(f"s3://{BUCKET}/batch/out/a.csv.out").split() == answer["Body"].read().split()


def test_a_multi_model_endpoint_of_ours_scores_as_the_model_alone(cloud, endpoint, trained, sample):
    sagemaker, runtime = cloud.client("sagemaker"), cloud.client("sagemaker-runtime")
    archive = cloud.get(trained["ModelArtifacts"]["S3ModelArtifacts"])
    for name in ("january", "february"):
        cloud.put(f"s3://{BUCKET}/archives/{name}.tar.gz", archive)
    prefix = f"s3://{BUCKET}/archives/"
    container = {"Image": f"{IMAGES}/serving:1", "Mode": "MultiModel", "ModelDataUrl": prefix}
    sagemaker.create_model(ModelName="several", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {
        "VariantName": "main",
        "ModelName": "several",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="several", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="several", EndpointConfigName="several")
    cloud.settle()
    row = rows(sample)[0]
    alone = runtime.invoke_endpoint(EndpointName=endpoint, Body=row, ContentType=CSV)["Body"].read()
    for name in ("january", "february", "january"):
        answer = runtime.invoke_endpoint(
            EndpointName="several", Body=row, ContentType=CSV, TargetModel=f"{name}.tar.gz"
        )
        assert answer["Body"].read() == alone
    sagemaker.delete_endpoint(EndpointName="several")
    cloud.settle()


def test_an_artifact_that_is_not_a_model_fails_its_endpoint_with_the_reason(cloud, endpoint):
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("model.txt"), BytesIO())
    cloud.client("s3").put_object(Bucket=BUCKET, Key="broken/model.tar.gz", Body=buffer.getvalue())
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(
        ModelName="broken",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": f"{IMAGES}/serving:1", "ModelDataUrl": f"s3://{BUCKET}/broken/model.tar.gz"},
    )
    variant = {
        "VariantName": "main",
        "ModelName": "broken",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="broken", ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="broken")
    cloud.settle()
    answer = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert answer["EndpointStatus"] == "InService"
    assert "signature.json" in answer["FailureReason"]
