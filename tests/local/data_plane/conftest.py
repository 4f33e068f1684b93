"""A local cloud within the tests' own process, whose images are the small programs in `images/`."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local import endpoints, jobs
from infra.local.cloud import LocalCloud
from infra.local.engine import ProcessEngine
from infra.local.server import LocalServer

IMAGES = Path(__file__).parent / "images"
FAKE_IMAGES = {"job": ("python", "-m", "fake_job"), "server": ("python", "-m", "fake_server")}
ROLE = "arn:aws:iam::123456789012:role/local"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test"


@dataclass
class Cloud:
    """A local cloud and what tests do with one."""

    local: LocalCloud

    def client(self, service: str) -> Any:
        return self.local.client(service)

    def settle(self) -> None:
        self.local.settle(60)

    def put(self, uri: str, body: bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, uri: str) -> list[str]:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        answer = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def log(self, group: str, stream_prefix: str) -> list[str]:
        logs = self.client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream_prefix)["logStreams"]
        events = [
            logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
            for stream in streams
        ]
        return [event["message"] for batch in events for event in batch]


def eventually(holds: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)
    return found


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    server = LocalServer(tmp_path_factory.mktemp("cloud"), 0, region="us-east-1", account="123456789012")
    engine = ProcessEngine(server.cloud, FAKE_IMAGES, IMAGES)
    jobs.install(server.cloud, engine, stop_grace_seconds=0.5)
    endpoints.install(server.cloud, engine, health_check_seconds=1.5)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server.cloud
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def cloud(local: LocalCloud) -> Cloud:
    return Cloud(local)


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A name for what the test makes: moto's store is one for the whole process."""
    return f"t{abs(hash(request.node.nodeid)) % 10**10}-{os.getpid()}"
