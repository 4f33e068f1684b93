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
SERVING = re.compile(r"(endpoint|alarms|autoscaling|batch)_")
PLATFORM_KEY = re.compile(r"\$\{data\.terraform_remote_state\.[^}]*kms_key[^}]*\}")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/server:1"
REGISTRY, DATA, CAPTURE = (f"sagestack-local-{kind}-123456789012" for kind in ("registry", "data", "capture"))
ARCHIVE = f"s3://{REGISTRY}/model.tar.gz"
OTHER_ARCHIVE = ("acme-wording", "2/model.tar.gz")
VERSION = 7


@pytest.fixture(scope="module")
def cloud(fake_cloud):
    return fake_cloud


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
    for bucket, key in ((REGISTRY, "model.tar.gz"), OTHER_ARCHIVE, (REGISTRY, "multi-model/countries/de.tar.gz")):
        s3.put_object(Bucket=bucket, Key=key, Body=archive())
    for name in ("variants", "shadow"):
        sagemaker.create_model_package_group(ModelPackageGroupName=f"sagestack-local-{name}")
        for _ in range(VERSION):
            sagemaker.create_model_package(
                ModelPackageGroupName=f"sagestack-local-{name}",
                ModelApprovalStatus="Approved",
                InferenceSpecification={
                    "Containers": [{"Image": IMAGE, "ModelDataUrl": ARCHIVE}],
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
        with_archive = text.replace("environment: {TABLE: visits}", f"model_archive: {ARCHIVE}")
        project.write(f"infra/models/{path.name}", with_archive)
        project.lock(path.stem, new_release(1, image=IMAGE, model_data_url=ARCHIVE))
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


def test_every_kind_comes_back_as_it_was_declared_answers_and_goes(cloud, terraform, declared):
    terraform.write(declared)
    terraform.apply()
    assert terraform.changes() == ""
    sagemaker, runtime = cloud.client("sagemaker"), cloud.client("sagemaker-runtime")
    states = {one["EndpointName"]: one["EndpointStatus"] for one in sagemaker.list_endpoints()["Endpoints"]}
    ours = {f"sagestack-local-{path.stem}" for path in EXAMPLES} - {"sagestack-local-batch-transform"}
    assert {name: states.get(name) for name in ours} == dict.fromkeys(ours, "InService")
    for name in ours - {"sagestack-local-asynchronous"}:
        target = {"TargetModel": "de.tar.gz"} if name.endswith("multi-model") else {}
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"1,2\n", **target)
        assert json.loads(answer["Body"].read())["model"] == "kinds", name
    terraform.destroy()
    assert ours.isdisjoint(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"])
