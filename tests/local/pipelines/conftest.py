"""A user of the pipelines of a local cloud, whose one image is `images/fake_step.py`."""

import time
import uuid

import pytest

from infra.pipelines import PipelineDefinition
from infra.pipelines.references import Get, Join, JsonGet
from infra.pipelines.steps import (
    ConditionArguments,
    ConditionStep,
    FailArguments,
    FailStep,
    ProcessingStep,
    PropertyFile,
    TrainingStep,
)

ROLE = "arn:aws:iam::123456789012:role/jobs"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/step:1"
BUCKET = "pipelines-under-test"
OUT = "/opt/ml/processing/output/out"
RUN_ID = Get.execution("PipelineExecutionId")
ENDED = ("Succeeded", "Failed", "Stopped")


class Pipelines:
    """Creates pipelines and follows their executions, as a boto3 user would."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.sagemaker = cloud.client("sagemaker")

    def create(self, *steps, parameters=(), **more):
        name = f"p-{uuid.uuid4().hex[:10]}"
        definition = PipelineDefinition(parameters=parameters, steps=steps).to_json()
        self.sagemaker.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=definition, **more)
        return name

    def start(self, name, parameters=None, **more):
        rows = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        answer = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=rows, **more)
        return answer["PipelineExecutionArn"]

    def describe(self, arn):
        return self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)

    def steps(self, arn):
        rows = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        return {row["StepName"]: row for row in rows}

    def finish(self, arn):
        self.until(lambda: self.describe(arn)["PipelineExecutionStatus"] in ENDED)
        return self.describe(arn)

    def until(self, holds):
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.05)

    def run(self, *steps, parameters=(), given=None):
        """Run a pipeline to its end: the execution, and its steps' statuses."""
        arn = self.start(self.create(*steps, parameters=parameters), given)
        execution = self.finish(arn)
        return execution, {name: row["StepStatus"] for name, row in self.steps(arn).items()}

    def read(self, uri):
        return self.cloud.get(uri)


class Build:
    """Steps of the fake image's commands."""

    run_id = RUN_ID

    @staticmethod
    def processing(name, command="answer", *, answer="{}", after=None, inputs=(), **more):
        return ProcessingStep(
            name=name,
            depends_on=after,
            arguments={
                "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": [command]},
                "Environment": {"ANSWER": answer},
                "ProcessingInputs": [
                    {
                        "InputName": f"in{number}",
                        "S3Input": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/input/in{number}",
                            "S3DataType": "S3Prefix",
                            "S3InputMode": "File",
                        },
                    }
                    for number, uri in enumerate(inputs)
                ],
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            "OutputName": "out",
                            "S3Output": {
                                "S3Uri": Join.of(f"s3://{BUCKET}", RUN_ID, name),
                                "LocalPath": OUT,
                                "S3UploadMode": "EndOfJob",
                            },
                        }
                    ]
                },
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
                },
                "RoleArn": ROLE,
            },
            property_files=(PropertyFile(property_file_name="Answer", output_name="out", file_path="answer.json"),),
            **more,
        )

    @staticmethod
    def training(name="Train", *, after=None):
        return TrainingStep(
            name=name,
            depends_on=after,
            arguments={
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "ContainerArguments": ["train"],
                },
                "Environment": {"ANSWER": Get.parameter("Answer")},
                "OutputDataConfig": {"S3OutputPath": Join.of(f"s3://{BUCKET}", RUN_ID, name)},
                "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
                "RoleArn": ROLE,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            },
        )

    @staticmethod
    def choose(*conditions, if_steps=(), else_steps=()):
        arguments = ConditionArguments(conditions=conditions, if_steps=if_steps, else_steps=else_steps)
        return ConditionStep(name="Choose", arguments=arguments)

    @staticmethod
    def fail(name, message):
        return FailStep(name=name, arguments=FailArguments(error_message=message))

    @staticmethod
    def answer_of(step, path):
        return JsonGet.of(step, "Answer", path)


@pytest.fixture(scope="session")
def build():
    return Build


@pytest.fixture(scope="session")
def pipelines(fake_cloud):
    fake_cloud.client("s3").create_bucket(Bucket=BUCKET)
    return Pipelines(fake_cloud)
