"""The pipeline of the reference model, run by the real images on a sample of the real flights."""

import io
import json
import tarfile
import time
from pathlib import Path

import polars as pl
import pytest

from infra.config import load_environment, load_model
from infra.demo import flights
from infra.pipelines import Images, model_pipeline
from serving.contract import SIGNATURE_FILE

pytestmark = pytest.mark.local_cloud
ROOT = Path(__file__).parents[3] / "infra"
ROLE = "arn:aws:iam::123456789012:role/jobs"
SAMPLE = 8


class OurPipeline:
    """The pipeline deployed, with a gate and a champion of the test's choice, and run to its end."""

    def __init__(self, cloud, model, names):
        self.cloud, self.model, self.names = cloud, model, names
        self.sagemaker = cloud.client("sagemaker")
        self.number = 0

    def run(self, *, minimum=0.55, champion=None, parameters=()):
        execution = self.start(minimum=minimum, champion=champion, parameters=parameters)
        end = time.monotonic() + 120
        while (told := self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution))[
            "PipelineExecutionStatus"
        ] == "Executing":
            assert time.monotonic() < end, self.steps(execution)
            time.sleep(0.2)
        return told

    def start(self, *, minimum, champion, parameters):
        self.number += 1
        name = f"{self.names.base}-{self.number}"
        gate = self.model.training.gate.model_copy(update={"minimum": minimum})
        training = self.model.training.model_copy(update={"gate": gate, "hyperparameters": {"num_iterations": 20}})
        environment = self.names.environment
        definition = model_pipeline(
            self.model.model_copy(update={"training": training}),
            self.names,
            images=Images(*(environment.image(image, "1") for image in ("training", "serving", "monitoring"))),
            role_arn=ROLE,
            champion=champion,
            kms_key=None,
        )
        self.sagemaker.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=definition.to_json())
        started = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=list(parameters))
        return started["PipelineExecutionArn"]

    def steps(self, execution):
        rows = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
        return {row["StepName"]: row for row in rows}

    def package(self, execution):
        arn = self.steps(execution)["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
        return self.sagemaker.describe_model_package(ModelPackageName=arn)

    def read(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def put(self, prefix, frame, partition):
        body = io.BytesIO()
        frame.write_parquet(body)
        bucket = self.names.environment.bucket("data")
        self.cloud.client("s3").put_object(Bucket=bucket, Key=f"{prefix}{partition}.parquet", Body=body.getvalue())
        return f"s3://{bucket}/{prefix}"


@pytest.fixture(scope="module")
def ours(cloud):
    environment = load_environment("local", ROOT)
    names = environment.names.model("flight-delay")
    for kind in ("data", "registry"):
        cloud.client("s3").create_bucket(Bucket=environment.names.bucket(kind))
    pipeline = OurPipeline(cloud, load_model("flight-delay", environment, ROOT), names)
    pipeline.sagemaker.create_model_package_group(ModelPackageGroupName=names.base)
    for month in (1, 2):
        pipeline.put(names.data_prefix, flights.month(month).gather_every(SAMPLE), flights.partition(month))
    return pipeline


@pytest.fixture(scope="module")
def trained(ours):
    told = ours.run(parameters=[{"Name": "StartedBy", "Value": "new-data"}])
    assert told["PipelineExecutionStatus"] == "Succeeded", (
        told.get("FailureReason"),
        ours.steps(told["PipelineExecutionArn"]),
    )
    return told["PipelineExecutionArn"]


def test_a_model_is_trained_evaluated_and_registered_with_its_baseline(ours, trained):
    steps = {name: row["StepStatus"] for name, row in ours.steps(trained).items()}
    assert steps == dict.fromkeys(
        ("ValidateData", "PrepareData", "TrainModel", "EvaluateModel", "ComputeBaseline", "Gate", "RegisterModel"),
        "Succeeded",
    )
    package = ours.package(trained)
    properties = package["CustomerMetadataProperties"]
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert properties["trained_on"].split(" ") == ["2013-01", "2013-02"]
    assert properties["started_by"] == "new-data"
    assert properties["execution_id"] == trained.rsplit("/", 1)[-1]
    evaluation = json.loads(ours.read(properties["evaluation_uri"]))
    assert float(properties["auc"]) == evaluation["metrics"]["auc"] > 0.55
    assert properties["data_fingerprint"] == evaluation["data_fingerprint"]


def test_every_file_that_the_package_names_is_there(ours, trained):
    package = ours.package(trained)
    archive = ours.read(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        assert SIGNATURE_FILE in [Path(name).name for name in files.getnames()]
    metrics = package["ModelMetrics"]
    uris = [part["S3Uri"] for group in metrics.values() for part in group.values()]
    uris.append(ours.names.baseline_file(package["CustomerMetadataProperties"]["baseline_uri"]))
    assert len(uris) == 4
    for uri in uris:
        assert json.loads(ours.read(uri))


def test_a_model_below_the_gate_is_rejected_with_the_evaluations_reason(ours):
    told = ours.run(minimum=0.999)
    assert told["PipelineExecutionStatus"] == "Failed"
    assert "RejectModel: auc 0." in told["FailureReason"]
    assert "minimum 0.999" in told["FailureReason"]
    assert "RegisterModel" not in ours.steps(told["PipelineExecutionArn"])


def test_a_new_model_is_held_against_the_champion(ours, trained):
    champion = ours.package(trained)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    told = ours.run(champion=champion)
    assert told["PipelineExecutionStatus"] == "Succeeded", told
    properties = ours.package(told["PipelineExecutionArn"])["CustomerMetadataProperties"]
    evaluation = json.loads(ours.read(properties["evaluation_uri"]))
    assert evaluation["champion_metrics"]["auc"] == evaluation["metrics"]["auc"], "the same data gives the same model"
    assert properties["started_by"] == "person"


def test_data_that_does_not_fit_stops_the_pipeline_before_training(ours):
    uri = ours.put(
        "broken/", flights.month(1).gather_every(100).with_columns(pl.col("distance").cast(pl.String)), "2013-01"
    )
    told = ours.run(parameters=[{"Name": "DataUri", "Value": uri}])
    assert told["PipelineExecutionStatus"] == "Failed"
    assert "ValidateData" in told["FailureReason"]
    assert "distance" in told["FailureReason"]
    assert set(ours.steps(told["PipelineExecutionArn"])) == {"ValidateData"}
