"""What each kind of endpoint declares, through real Terraform: applied, asked, planned again without a change, gone.

The images are small programs that start at once; what surrounds an endpoint (key, buckets, registry) is laid down
beside Terraform, whose way with it is another test's.
"""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from infra.main import build
from infra.provider import App

pytestmark = pytest.mark.local_cloud
EXAMPLES = sorted((Path(__file__).parents[1] / "synth/kinds").glob("*.yaml"))
SERVING = re.compile(r"(endpoint|alarms|autoscaling|batch|dashboard)_")
PLATFORM_KEY = re.compile(r"\$\{data\.terraform_remote_state\.[^}]*kms_key[^}]*\}")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/serving:1"
REGISTRY, DATA, CAPTURE = (f"sagestack-local-{kind}-123456789012" for kind in ("registry", "data", "capture"))
COUNTING = "batch-transform"
"""Its model answers each line with its number of columns and its place."""
OTHER_ARCHIVE = ("acme-wording", "2/model.tar.gz")
VERSION = 7


@pytest.fixture(scope="module")
def cloud(fake_cloud):
    return fake_cloud


def archive_of(kind):
    """Where the archive of a model lies, which its role may read."""
    return f"s3://{REGISTRY}/{kind}/runs/model.tar.gz"


def archive(**behaviour):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        content = json.dumps({"name": "kinds", **behaviour}).encode()
        entry = tarfile.TarInfo("model.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def surroundings(cloud):
    """Key, buckets, artifacts, and the versions that variants name; the key's ARN."""
    s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
    for bucket in (REGISTRY, DATA, CAPTURE, OTHER_ARCHIVE[0]):
        s3.create_bucket(Bucket=bucket)
    for bucket, key in (OTHER_ARCHIVE, (REGISTRY, "multi-model/countries/de.tar.gz")):
        s3.put_object(Bucket=bucket, Key=key, Body=archive())
    for path in EXAMPLES:
        behaviour = {"counts": True} if path.stem == COUNTING else {}
        s3.put_object(Bucket=REGISTRY, Key=f"{path.stem}/runs/model.tar.gz", Body=archive(**behaviour))
    for name in ("variants", "shadow"):
        sagemaker.create_model_package_group(ModelPackageGroupName=f"sagestack-local-{name}")
        for _ in range(VERSION):
            sagemaker.create_model_package(
                ModelPackageGroupName=f"sagestack-local-{name}",
                ModelApprovalStatus="Approved",
                InferenceSpecification={
                    "Containers": [{"Image": IMAGE, "ModelDataUrl": archive_of(name)}],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["text/csv"],
                },
            )
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def declared(new_project, new_release, tmp_path_factory, surroundings):
    """The resources that serve each kind, of all kinds as one Terraform configuration."""
    project = new_project()
    for path in EXAMPLES:
        text = re.sub(r"acme/(lookup|wording):[\d.]+", "acme/server:1", path.read_text(encoding="utf-8"))
        with_archive = text.replace("environment: {TABLE: visits}", f"model_archive: {archive_of(path.stem)}")
        project.write(f"infra/models/{path.name}", with_archive)
        project.lock(path.stem, new_release(1, image=IMAGE, model_data_url=archive_of(path.stem)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGESTACK_ROOT", str(project.root))
        app = App(outdir=str(tmp_path_factory.mktemp("synth")))
        build(app, "local")
        app.synth()
    merged = {}
    for path in EXAMPLES:
        document = json.loads(Path(app.outdir, "stacks", f"local-{path.stem}", "cdk.tf.json").read_text())
        for kind, resources in serving(document["resource"], path.stem, surroundings).items():
            merged.setdefault(kind, {}).update(resources)
    return {"resource": merged}


def serving(resources, name, key):
    """The resources of one stack that are its kind's own, under names that no other stack has."""
    kept = {kind: {id_: one for id_, one in found.items() if SERVING.match(id_)} for kind, found in resources.items()}
    text = PLATFORM_KEY.sub(key, json.dumps({kind: found for kind, found in kept.items() if found}))
    for id_ in sorted({id_ for found in kept.values() for id_ in found}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(id_)}(?![\w-])", f"{name}_{id_}", text)
    return json.loads(text)


def answer(cloud, endpoint, **target):
    runtime = cloud.client("sagemaker-runtime")
    response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"1,2\n", **target)
    return json.loads(response["Body"].read())["model"]


def asynchronous_answer(cloud, endpoint, eventually):
    """Ask as a caller would: the request below the model's folder, the answer where the endpoint says."""
    s3, key = cloud.client("s3"), "asynchronous/asynchronous/requests/one.csv"
    s3.put_object(Bucket=DATA, Key=key, Body=b"1,2\n")
    told = cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=endpoint, ContentType="text/csv", InputLocation=f"s3://{DATA}/{key}"
    )
    where = told["OutputLocation"].removeprefix(f"s3://{DATA}/")
    assert where.startswith("asynchronous/asynchronous/answers/")
    eventually(lambda: "Contents" in s3.list_objects_v2(Bucket=DATA, Prefix=where))
    return json.loads(s3.get_object(Bucket=DATA, Key=where)["Body"].read())["model"]


def batch_answers(cloud):
    """Create the job that the schedule would create, as the role that it has, and read what it wrote."""
    s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
    s3.put_object(Bucket=DATA, Key="batch-transform/batch/requests/day.csv", Body=b"1,2\n3,4\n")
    schedule = cloud.client("scheduler").get_schedule(Name="sagestack-local-batch-transform-batch")
    request = schedule["Target"]["Input"].replace(
        "<aws.scheduler.execution-id>", "00000000-0000-0000-0000-000000000000"
    )
    job = json.loads(request.replace("<aws.scheduler.scheduled-time>", "2026-01-02T02:00:00Z"))
    role = {"RoleArn": schedule["Target"]["RoleArn"], "RoleSessionName": "schedule"}
    keys = cloud.client("sts").assume_role(**role)["Credentials"]
    cloud.client_with(keys, "sagemaker").create_transform_job(**job)
    cloud.settle()
    described = sagemaker.describe_transform_job(TransformJobName=job["TransformJobName"])
    assert described["TransformJobStatus"] == "Completed", described.get("FailureReason")
    key = "batch-transform/batch/answers/2026-01-02T02:00:00Z/day.csv.out"
    return s3.get_object(Bucket=DATA, Key=key)["Body"].read().splitlines()


def refused(cloud):
    """What a role of one of the kinds was refused: who, what and why."""
    pages = cloud.client("cloudtrail").get_paginator("lookup_events").paginate()
    records = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    return [
        (one["userIdentity"]["arn"], one["eventName"], one["errorMessage"])
        for one in records
        if "errorCode" in one and "/sagestack-local-" in one["userIdentity"].get("arn", "")
    ]


def test_every_kind_comes_back_as_it_was_declared_answers_and_goes(cloud, terraform, declared, eventually):
    terraform.write(declared)
    terraform.apply()
    assert terraform.changes() == ""
    names = {path.stem: f"sagestack-local-{path.stem}" for path in EXAMPLES if path.stem != "batch-transform"}
    for kind in ("variants", "shadow", "serverless", "inference-pipeline"):
        assert answer(cloud, names[kind]) == "kinds"
    assert answer(cloud, names["variants"], TargetVariant="large") == "kinds"
    assert answer(cloud, names["multi-model"], TargetModel="de.tar.gz") == "kinds"
    assert asynchronous_answer(cloud, names["asynchronous"], eventually) == "kinds"
    assert batch_answers(cloud) == [b"1,2,2,0", b"3,4,2,1"]
    assert refused(cloud) == []
    terraform.destroy()
    left = {one["EndpointName"] for one in cloud.client("sagemaker").list_endpoints()["Endpoints"]}
    assert left.isdisjoint(names.values())
