"""Fixtures shared by everything that runs against the local cloud: the cloud itself, and Terraform pointed at it."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
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
            somebody = {"AccessKeyId": "local", "SecretAccessKey": "local", "SessionToken": None}
            self._clients[service] = self.client_with(somebody, service)
        return self._clients[service]

    def client_with(self, keys, service):
        """A client with the keys that STS gave somebody."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def now(self):
        return datetime.fromisoformat(self.handle.status()["clock"])

    def advance(self, to=None, *, seconds=None):
        if to is not None:
            self.handle.advance(to)
        else:
            self.handle.advance_by(seconds)

    def settle(self, timeout_seconds=120):
        self.handle.settle(timeout_seconds)

    def put(self, uri, body):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.client("s3").create_bucket(Bucket=bucket)
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, uri):
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        answer = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def log(self, group, stream_prefix):
        logs = self.client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)["logStreams"]
        events = [
            logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
            for stream in streams
        ]
        return [event["message"] for batch in events for event in batch]


class Queue:
    """A queue of the cloud's, to which something was told to send."""

    def __init__(self, cloud, name):
        self._cloud, self._sqs = cloud, cloud.client("sqs")
        self.arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
        rules = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": self.arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **rules}]})
        self.url = self._sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]

    def read(self):
        """Everything that was sent, once all is at rest."""
        self._cloud.settle()
        bodies = []
        while messages := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@dataclass(frozen=True)
class FakeSettings(lifecycle.Settings):
    """What a local cloud of fake images is told."""

    def command(self):
        program = Path(__file__).with_name("fake_cloud.py")
        return [sys.executable, str(program), *super().command()[3:]]


def role(iam, name):
    """A role that the services of the tests may assume, and that may do anything."""
    services = [f"{service}.amazonaws.com" for service in ("events", "lambda", "sagemaker", "scheduler")]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    iam.put_role_policy(
        RoleName=name,
        PolicyName="anything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [anything]}),
    )


@contextmanager
def running(home, settings=lifecycle.Settings):
    handle = lifecycle.start(settings(home))
    try:
        cloud = Cloud(handle)
        for name in ("jobs", "local"):
            role(cloud.client("iam"), name)
        yield cloud
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


@pytest.fixture(scope="session")
def fake_cloud(tmp_path_factory):
    """A local cloud whose images are the small programs in `images/`: give what you make in it a name of its own."""
    with running(tmp_path_factory.mktemp("fake-cloud"), FakeSettings) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def new_role():
    """Make a role that may do anything: `new_role(iam, name)`."""
    return role


@pytest.fixture
def unique():
    """A name for what a test makes in a cloud that it shares."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def listen(fake_cloud):
    """Have the events that match a pattern sent to a queue; `listen(pattern).read()` gives them."""

    def begin(pattern):
        queue = Queue(fake_cloud, f"events-{uuid.uuid4().hex[:12]}")
        events, rule = fake_cloud.client("events"), queue.url.rsplit("/", 1)[-1]
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue.arn}])
        return queue

    return begin


@pytest.fixture
def queue(fake_cloud, unique):
    """A queue of the fake cloud's, for SNS to send to."""
    return Queue(fake_cloud, unique)


@pytest.fixture
def eventually():
    """Wait until something holds, and return it."""

    def wait(holds, seconds=20):
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.02)
        return found

    return wait


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
