"""What docs/serving.md shows of boto3 and of the SageMaker SDK is what an endpoint on the local cloud answers."""

import doctest
import os
import re
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.unit.serving.documented_model import write_documented_model

pytestmark = pytest.mark.local_cloud
PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "serving.md"
WITH_BOTO3, WITH_SDK = re.findall(r"^```pycon\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
SDK = PROJECT / ".venvs" / "sdk" / "bin" / "python"
ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/serving:1"
BUCKET = "documented"
DOCTEST = """
import contextlib, doctest, io, sys
with contextlib.redirect_stdout(io.StringIO()):  # on its first import the SDK says which defaults it does not find
    __import__(sys.argv[2])
sys.exit(doctest.testfile(sys.argv[1], module_relative=False, optionflags=doctest.ELLIPSIS).failed)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented") / "model"
    write_documented_model(folder)
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(folder, ".")
    return buffer.getvalue()


def serve(cloud, name, **container):
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, **container})
    variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    cloud.settle()
    return name


@pytest.fixture(scope="module")
def boxes(cloud, archive):
    """The endpoint that the page asks."""
    cloud.put(f"s3://{BUCKET}/model.tar.gz", archive)
    yield serve(cloud, "boxes", ModelDataUrl=f"s3://{BUCKET}/model.tar.gz")
    cloud.client("sagemaker").delete_endpoint(EndpointName="boxes")
    cloud.settle()


@pytest.fixture
def environment(cloud):
    """The variables that docs/local-cloud.md names."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    told = {"AWS_ENDPOINT_URL": cloud.endpoint_url, "AWS_DEFAULT_REGION": "us-east-1", **dict.fromkeys(names, "local")}
    return os.environ | told


@pytest.mark.parametrize(
    ("python", "client", "shown"),
    [
        (Path(sys.executable), "boto3", WITH_BOTO3),
        pytest.param(
            SDK,
            "sagemaker",
            WITH_SDK,
            marks=pytest.mark.skipif(not SDK.exists(), reason="there is no .venvs/sdk: make .venvs/sdk/.ready"),
        ),
    ],
)
@pytest.mark.usefixtures("boxes")
def test_the_page_shows_what_is_answered(environment, tmp_path, python, client, shown):  # noqa: PLR0917 - a table
    page = tmp_path / "page.txt"
    page.write_text(shown)
    ended = subprocess.run(
        [python, "-c", DOCTEST, page, client], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert doctest.DocTestParser().get_examples(shown)


def test_one_endpoint_serves_many_of_our_models(cloud, archive):
    for name in "ab":
        cloud.put(f"s3://{BUCKET}/many/{name}.tar.gz", archive)
    cloud.put(f"s3://{BUCKET}/many/broken.tar.gz", b"none")
    name = serve(cloud, "many", Mode="MultiModel", ModelDataUrl=f"s3://{BUCKET}/many/")
    runtime = cloud.client("sagemaker-runtime")
    for target in ("a.tar.gz", "b.tar.gz", "a.tar.gz"):
        answer = runtime.invoke_endpoint(
            EndpointName=name, TargetModel=target, ContentType="text/csv", Body=b"1.5,2.5,blue"
        )
        assert answer["Body"].read() == b"0.8807970779778823\n"
    with pytest.raises(runtime.exceptions.ClientError):
        runtime.invoke_endpoint(EndpointName=name, TargetModel="broken.tar.gz", ContentType="text/csv", Body=b"1,2,red")
    cloud.client("sagemaker").delete_endpoint(EndpointName=name)
    cloud.settle()
