"""Every service of every stack goes to the endpoint that an environment names."""

import boto3
import pytest

from infra.provider.endpoint import CONFIG_FILE, endpoint_arguments, write_endpoint

URL = "http://127.0.0.1:4577"


@pytest.fixture
def stacks(tmp_path):
    folders = [tmp_path / "stacks" / name for name in ("local-platform", "local-churn")]
    for folder in folders:
        folder.mkdir(parents=True)
    write_endpoint(tmp_path, URL)
    return folders


@pytest.mark.parametrize("service", ["s3", "sagemaker", "sts", "dynamodb", "organizations"])
def test_the_profile_beside_each_stack_sends_every_service_to_the_endpoint(stacks, monkeypatch, service):
    arguments = endpoint_arguments()
    for folder in stacks:
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / arguments["shared_config_files"][0]))
        session = boto3.Session(profile_name=arguments["profile"], region_name="us-east-1")
        assert session.client(service, aws_access_key_id="x", aws_secret_access_key="x").meta.endpoint_url == URL  # noqa: S106


def test_the_file_holds_no_credentials(stacks):
    assert "key" not in (stacks[0] / CONFIG_FILE).read_text()
