"""A local cloud in the tests' own process, whose one image is `images/fake_step.py`, and a user of its pipelines."""

import threading
import time
import uuid
from pathlib import Path

import pytest

from infra.local import jobs
from infra.local.engine import ProcessEngine
from infra.local.server import LocalServer
from infra.pipelines import PipelineDefinition

IMAGES = Path(__file__).parent / "images"
ROLE = "arn:aws:iam::123456789012:role/jobs"
BUCKET = "pipelines-under-test"
ENDED = ("Succeeded", "Failed", "Stopped")


class Pipelines:
    """Creates pipelines and follows their executions, as a boto3 user would."""

    def __init__(self, local):
        self.local = local
        self.sagemaker = local.client("sagemaker")

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
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.local.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


class FaultyEngine(ProcessEngine):
    """Cannot start the command `fault` at first, as a service with a fault cannot."""

    def __init__(self, cloud, faults):
        super().__init__(cloud, {"step": ("python", "-m", "fake_step")}, IMAGES)
        self._faults = faults

    def start(self, container, sandbox):
        if container.arguments == ("fault",) and self._faults:
            self._faults -= 1
            raise OSError("no machine to be had")
        return super().start(container, sandbox)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    server = LocalServer(tmp_path_factory.mktemp("cloud"), 0, region="us-east-1", account="123456789012")
    jobs.install(server.cloud, FaultyEngine(server.cloud, faults=2), stop_grace_seconds=0.5)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server.cloud
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def pipelines(local):
    local.client("s3").create_bucket(Bucket=BUCKET)
    return Pipelines(local)
