"""A local cloud of fake images, and a user of its endpoints."""

import io
import json
import tarfile
import uuid
from contextlib import contextmanager

import pytest

ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test/server:1"


def archive(**model):
    """A model's artifact: one JSON file that says how the fake server behaves."""
    buffer = io.BytesIO()
    content = json.dumps(model).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Deployment:
    """Makes models, configurations and endpoints whose names all begin alike."""

    def __init__(self, cloud, name):
        self.cloud, self.name = cloud, name
        self.sagemaker = cloud.client("sagemaker")

    def artifact(self, version, **behaviour):
        uri = f"s3://{self.name}/{version}/model.tar.gz"
        self.cloud.put(uri, archive(name=version, **behaviour))
        return uri

    def model(self, version="v1", *, data=None, image=IMAGE, **behaviour):
        uri = self.artifact(version, **behaviour)
        if data is not None:
            self.cloud.put(uri, data)
        container = {"Image": image, "ModelDataUrl": uri}
        self.sagemaker.create_model(
            ModelName=f"{self.name}-{version}", ExecutionRoleArn=ROLE, PrimaryContainer=container
        )
        return f"{self.name}-{version}"

    def variant(self, name, model, weight=1, instances=1):
        return {
            "VariantName": name,
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": instances,
            "InitialVariantWeight": weight,
        }

    def config(self, version="v1", *, variants=None, instances=1, **more):
        name = f"{self.name}-{version}"
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                self.variant(*variant, instances=instances) for variant in variants or [("main", name, 1)]
            ],
            **more,
        )
        return name

    def capturing(self, percent=100):
        return {
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": percent,
                "DestinationS3Uri": f"s3://{self.name}/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {
                    "CsvContentTypes": ["text/csv"],
                    "JsonContentTypes": ["application/json"],
                },
            }
        }

    def captured(self, variant="main"):
        """The keys of the files that were captured of a variant, and their records."""
        keys = self.cloud.keys(f"s3://{self.name}/captured/{self.name}/{variant}/")
        lines = [line for key in keys for line in self.cloud.get(f"s3://{self.name}/{key}").splitlines()]
        return keys, [json.loads(line) for line in lines]

    def create(self, version="v1", **more):
        name = f"{self.name}-{version}"
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=name, **more)
        self.cloud.settle()
        return self.describe()

    def update(self, version, **more):
        name = f"{self.name}-{version}"
        self.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=name, **more)
        self.cloud.settle()
        return self.describe()

    def delete(self):
        self.sagemaker.delete_endpoint(EndpointName=self.name)
        self.cloud.settle()

    def describe(self):
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    def invoke(self, body=b"1,2", **more):
        more = {"ContentType": "text/csv", **more}
        return self.cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=self.name, Body=body, **more)

    def ask(self, body=b"1,2", **more):
        return json.loads(self.invoke(body, **more)["Body"].read())

    def has_endpoint(self):
        found = self.sagemaker.list_endpoints(NameContains=self.name)["Endpoints"]
        return self.name in {row["EndpointName"] for row in found}


@pytest.fixture(scope="session")
def cloud(fake_cloud):
    return fake_cloud


@pytest.fixture(scope="module")
def served(cloud):
    """One endpoint with one instance for a whole module, by a name of its own."""
    deployment = Deployment(cloud, f"served-{uuid.uuid4().hex[:8]}")
    deployment.model()
    deployment.config()
    deployment.create()
    yield deployment
    if deployment.has_endpoint():
        deployment.delete()


@contextmanager
def deploying(cloud):
    deployment = Deployment(cloud, f"t-{uuid.uuid4().hex[:12]}")
    yield deployment
    cloud.settle()
    if deployment.has_endpoint():
        deployment.delete()


@pytest.fixture
def deployment(cloud):
    with deploying(cloud) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def shared(cloud):
    """A deployment that the tests of a module share."""
    with deploying(cloud) as deployment:
        yield deployment


@pytest.fixture
def live(deployment):
    deployment.model()
    deployment.config()
    deployment.create()
    return deployment
