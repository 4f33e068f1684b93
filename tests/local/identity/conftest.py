"""Roles that may do exactly what a test says, and jobs and functions that have them."""

import io
import json
import zipfile
from dataclasses import dataclass

import pytest

ACCOUNT, REGION = "123456789012", "us-east-1"
SERVICES = ("sagemaker", "lambda", "scheduler", "events")


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


@dataclass
class Roles:
    """Everything in it has one name, the test's own."""

    cloud: object
    name: str

    @property
    def bucket(self):
        return f"arn:aws:s3:::{self.name}"

    def role(self, *statements, condition=None, services=SERVICES, suffix="", **more):
        """A role that may do what the statements say, and that the services may assume under a condition."""
        iam, name = self.cloud.client("iam"), f"{self.name}{suffix}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
            "Action": "sts:AssumeRole",
            "Condition": condition or {},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=policy)
        return role

    def job(self, role, command="show", **more):
        """A processing job that reads in/ and writes out/ of the bucket; how it ended."""
        self.cloud.put(f"s3://{self.name}/in/one.csv", b"1")
        request = {
            "ProcessingJobName": self.name,
            "RoleArn": role,
            "AppSpecification": {
                "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme/job:1",
                "ContainerEntrypoint": ["python", "-m", "fake_job"],
                "ContainerArguments": [command],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
            "Environment": {"BUCKET": self.name},
            "ProcessingInputs": [self._input()],
            "ProcessingOutputConfig": {"Outputs": [self._output()]},
        }
        self.cloud.client("sagemaker").create_processing_job(**request | more)
        return self.ended()

    def ended(self):
        """The job, once nothing is under way."""
        self.cloud.settle()
        return self.cloud.client("sagemaker").describe_processing_job(ProcessingJobName=self.name)

    def function(self, role, source):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("main.py", source)
        made = self.cloud.client("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.11",
            Role=role,
            Handler="main.handler",
            Timeout=20,
            Code={"ZipFile": archive.getvalue()},
        )
        return made["FunctionArn"]

    def events(self, **attributes):
        """What the trail has of an attribute, the newest first."""
        wanted = [{"AttributeKey": key, "AttributeValue": value} for key, value in attributes.items()]
        pages = self.cloud.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
        return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]

    def _input(self):
        source = {"S3Uri": f"s3://{self.name}/in/", "LocalPath": "/opt/ml/processing/input/in"}
        more = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": "in", "S3Input": source | more}

    def _output(self):
        target = {"S3Uri": f"s3://{self.name}/out/", "LocalPath": "/opt/ml/processing/output/seen"}
        return {"OutputName": "seen", "S3Output": target | {"S3UploadMode": "EndOfJob"}}


@pytest.fixture
def roles(fake_cloud, unique):
    """Roles in the cloud of fake images."""
    return Roles(fake_cloud, unique)


@pytest.fixture
def grants():
    """What a processing job takes, a statement each, by the grant that it can be taken without."""

    def of(name):
        bucket = f"arn:aws:s3:::{name}"
        repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/acme/job"
        pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        listing = {"Condition": {"StringLike": {"s3:prefix": "in/*"}}}
        return {
            "s3:ListBucket": allow("s3:ListBucket", resource=bucket, **listing),
            "s3:GetObject": allow("s3:GetObject", resource=f"{bucket}/in/*"),
            "s3:PutObject": allow("s3:PutObject", resource=f"{bucket}/out/*"),
            "ecr:BatchGetImage": allow(*pull, resource=repository),
            "ecr:GetAuthorizationToken": allow("ecr:GetAuthorizationToken"),
            "logs:CreateLogStream": allow("logs:*", resource=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"),
        }

    return of


@pytest.fixture(name="allow")
def allowing():
    """One Allow statement: `allow("s3:GetObject", resource=…)`."""
    return allow
