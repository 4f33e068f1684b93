"""Fixtures shared by everything that runs against the local cloud: the cloud itself, and Terraform pointed at it."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from infra.local import lifecycle

REGION = "us-east-1"
MIRRORS = ("/usr/share/terraform/plugins", "/usr/local/share/terraform/plugins", "/opt/*")
PROVIDER = {"source": "hashicorp/aws", "version": "5.100.0"}


@dataclass
class Cloud:
    """A local cloud in a process of its own, and clients for it."""

    handle: lifecycle.Handle
    _clients: dict = field(default_factory=dict)

    @property
    def endpoint_url(self):
        return self.handle.endpoint_url

    @property
    def home(self):
        return self.handle.home

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name=REGION,
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - nobody checks it
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def now(self):
        return datetime.fromisoformat(self.handle.status()["clock"])

    def advance(self, to=None, *, seconds=None):
        if to is not None:
            self.handle.advance(to)
        else:
            self.handle.advance_by(seconds)

    def settle(self, timeout_seconds=120):
        self.handle.settle(timeout_seconds)


@contextmanager
def running(home):
    handle = lifecycle.start(lifecycle.Settings(home))
    try:
        yield Cloud(handle)
    finally:
        handle.stop()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """One local cloud for the whole session: give what you make in it a name of its own."""
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory):
    """A local cloud for one module of tests, with nothing in it at first."""
    with running(tmp_path_factory.mktemp("module-cloud")) as cloud:
        yield cloud


@pytest.fixture
def fresh_cloud(tmp_path):
    """A local cloud with nothing in it, for tests that look at all of it, or stop it."""
    with running(tmp_path / "cloud") as cloud:
        yield cloud


class Terraform:
    """Real Terraform with the real AWS provider, in a folder of its own, against a local cloud."""

    def __init__(self, folder, cloud, initialised):
        self.folder = folder
        folder.mkdir()
        shutil.copy(initialised / ".terraform.lock.hcl", folder)
        self.environment = os.environ | {
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TF_DATA_DIR": str(initialised / ".terraform"),
        }

    def write(self, configuration):
        """Lay down Terraform JSON; the provider's own block is added."""
        provider = {"aws": {"region": REGION, "s3_use_path_style": True, "skip_requesting_account_id": False}}
        document = {"terraform": {"required_providers": {"aws": PROVIDER}}, "provider": provider} | configuration
        (self.folder / "main.tf.json").write_text(json.dumps(document, indent=1))

    def start(self, *arguments):
        return subprocess.Popen(
            ["terraform", *arguments, "-no-color"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments):
        with self.start(*arguments) as process:
            return process.communicate()[0], process.returncode

    def apply(self):
        output, code = self.run("apply", "-auto-approve")
        assert code == 0, output
        return output

    def destroy(self):
        output, code = self.run("destroy", "-auto-approve")
        assert code == 0, output
        return output

    def changes(self):
        """What a plan would change, as Terraform tells it; empty if nothing."""
        output, code = self.run("plan", "-detailed-exitcode")
        assert code in {0, 2}, output
        return output if code == 2 else ""

    def outputs(self):
        output, _ = self.run("output", "-json")
        return {name: value["value"] for name, value in json.loads(output).items()}


@pytest.fixture(scope="session")
def initialised_terraform(tmp_path_factory):
    """A folder in which `terraform init` has run once; initialising takes seconds, and always gives the same."""
    folder = tmp_path_factory.mktemp("terraform")
    (folder / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": {"aws": PROVIDER}}}))
    for place in MIRRORS:
        for mirror in Path("/").glob(f"{place[1:]}/registry.terraform.io"):
            (folder / "terraform.d").mkdir(exist_ok=True)
            (folder / "terraform.d/plugins").symlink_to(mirror.parent)
    subprocess.run(["terraform", "init", "-no-color"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def terraform(tmp_path, cloud, initialised_terraform):
    """Terraform in a folder of its own against the session's local cloud; what it made is destroyed at the end."""
    terraform = Terraform(tmp_path / "terraform", cloud, initialised_terraform)
    yield terraform
    if (terraform.folder / "terraform.tfstate").exists():
        terraform.destroy()
