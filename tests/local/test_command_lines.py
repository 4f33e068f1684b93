import json
import sys
from pathlib import Path

import pytest

from infra import toolchain

APP = """
from infra.provider import App, LocalBackend, Stack, aws, use_mirror

app = App()
stack = Stack(app, "small")
LocalBackend(stack, path="../../../small.tfstate")
aws.AwsProvider(stack, "aws", region="us-east-1", s3_use_path_style=True)
bucket = aws.S3Bucket(stack, "bucket", bucket="command-lines")
aws.SsmParameter(stack, "where", name="/command-lines", type="String", value=bucket.arn)
app.synth()
use_mirror(app.outdir)
"""


@pytest.mark.local_cloud
def test_what_cdktn_deploys_cdktf_finds_unchanged_and_either_destroys(cloud, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    settings = json.loads(Path(toolchain.PROJECT, "cdktf.json").read_text())
    (tmp_path / "cdktf.json").write_text(json.dumps(settings | {"app": f"{sys.executable} app.py"}))
    variables = {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "PYTHONPATH": str(toolchain.PROJECT),
        "TF_CLI_CONFIG_FILE": str(tmp_path / "missing"),
    }

    def run(name, *arguments):
        log = tmp_path / f"{name}-{arguments[0]}.log"
        toolchain.cdktf(arguments, name=name, folder=tmp_path, log=log, variables=variables)
        return log.read_text()

    run("cdktn", "deploy", "--auto-approve")
    found = cloud.client("ssm").get_parameter(Name="/command-lines")["Parameter"]["Value"]
    assert found == "arn:aws:s3:::command-lines"
    assert "No changes" in run("cdktf", "diff")
    run("cdktf", "destroy", "--auto-approve")
    assert json.loads((tmp_path / "small.tfstate").read_text())["resources"] == []
    assert "command-lines" not in [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
