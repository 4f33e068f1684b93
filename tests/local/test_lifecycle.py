import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from infra.config import load_environment
from infra.errors import UserError
from infra.local import lifecycle, record
from infra.local.bring_up import Place, bring_up

pytestmark = pytest.mark.local_cloud
PROJECT = Path(__file__).parents[2]
ENVIRONMENT = """
prefix: sagestack
account: "123456789012"
region: eu-central-1
endpoint_url: {url}
state: {{kind: file, directory: build/local/state}}
releases: build/local/releases
destroy_protection: false
"""

LAMBDA_ASSUMES = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
]}"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def place(folder, url):
    environments = folder / "infra/environments"
    environments.mkdir(parents=True)
    (environments / "local.yaml").write_text(ENVIRONMENT.format(url=url))
    return Place(load_environment("local", folder / "infra"), folder)


@pytest.fixture
def project(tmp_path):
    """A project whose local environment names a free port."""
    place_ = place(tmp_path, f"http://127.0.0.1:{free_port()}")
    yield place_
    if handle := lifecycle.find(place_.home):
        handle.stop()


def sagestack(project, *arguments):
    environment = os.environ | {"SAGESTACK_ROOT": str(project.project / "infra"), "PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", "local", *arguments],
        cwd=project.project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def with_a_child(cloud):
    """Have the cloud start a child process (a warm Lambda function); every process of the cloud."""
    code = BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return event")
    role = cloud.client("iam").create_role(RoleName="child", AssumeRolePolicyDocument=LAMBDA_ASSUMES)["Role"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="child",
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="main.handler",
        Code={"ZipFile": code.getvalue()},
    )
    assert functions.invoke(FunctionName="child", Payload=b"1")["Payload"].read() == b"1"
    server = psutil.Process(cloud.handle.pid)
    family = [server, *server.children(recursive=True)]
    assert len(family) >= 3, "the server, the function's process, the watchdog"
    return family


def all_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_cloud_however_it_ends(fresh_cloud, number):
    family = with_a_child(fresh_cloud)
    os.kill(fresh_cloud.handle.pid, number)
    assert all_gone(family[1:])
    fresh_cloud.handle.stop()
    assert not record.is_held(fresh_cloud.home)


def test_a_killed_clouds_record_is_not_taken_for_a_running_cloud(fresh_cloud):
    os.kill(fresh_cloud.handle.pid, signal.SIGKILL)
    fresh_cloud.handle.stop()
    assert (fresh_cloud.home / record.FILE).read_text()
    assert lifecycle.find(fresh_cloud.home) is None
    again = lifecycle.start(lifecycle.Settings(fresh_cloud.home))
    again.stop()


def test_up_and_down_say_what_they_did_and_can_be_repeated(project):
    first, second = sagestack(project, "up"), sagestack(project, "up")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert f"The local cloud is up at {project.environment.endpoint_url}." in first.stdout
    assert second.stdout == f"The local cloud is already up at {project.environment.endpoint_url}.\n"
    assert '"ready": true' in sagestack(project, "status").stdout
    assert "ready at" in sagestack(project, "logs").stdout
    assert sagestack(project, "advance", "--days", "3").stdout.startswith("The clock reads ")
    assert sagestack(project, "settle").stdout == "Nothing is under way.\n"
    down, again = sagestack(project, "down"), sagestack(project, "down")
    assert (down.stdout, again.stdout) == ("The local cloud is down.\n", "The local cloud is not up.\n")
    assert (down.returncode, again.returncode) == (0, 0)


def test_commands_that_need_a_cloud_say_how_to_get_one(project):
    status, settle = sagestack(project, "status"), sagestack(project, "settle")
    assert (status.returncode, settle.returncode) == (1, 2)
    assert status.stderr == settle.stderr == "the local cloud is not up: sagestack local up\n"


def test_a_port_that_another_program_has_is_named_with_the_fix(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        up = sagestack(place(tmp_path, f"http://127.0.0.1:{port}"), "up")
    assert up.returncode == 2
    assert up.stderr.startswith(f"port {port} of 127.0.0.1 is taken by another program: stop it")
    assert "Traceback" not in up.stderr


def test_in_the_foreground_ctrl_c_stops_it_cleanly(project):
    environment = os.environ | {"SAGESTACK_ROOT": str(project.project / "infra"), "PYTHONPATH": str(PROJECT)}
    argv = [sys.executable, "-m", "infra.cli", "local", "up", "--foreground"]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 30
        while lifecycle.find(project.home) is None and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 0
    assert said.rstrip().endswith("stopped")


def test_a_new_cloud_begins_without_the_state_and_locks_of_the_last(project):
    stale = [project.project / "build/local" / name for name in ("state/local-platform.tfstate", "releases/late.json")]
    kept = project.project / "build/local/state/notes.txt"
    for file in (*stale, kept):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    sandbox = project.home / "training-jobs" / "earlier"
    sandbox.mkdir(parents=True)
    handle, removed = bring_up(project)
    handle.stop()
    assert not sandbox.exists()
    assert sorted(removed) == sorted(stale)
    assert not any(file.exists() for file in stale)
    assert kept.exists()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:4577", "http://10.0.0.1:4577", "http://localhost", "http://example.com:4577"]
)
def test_a_cloud_is_started_on_a_loopback_port_or_not_at_all(tmp_path, url):
    with pytest.raises(UserError, match=r"a local cloud has http://127\.0\.0\.1:<port>, nothing else"):
        bring_up(place(tmp_path, url))


def test_an_environment_on_aws_has_no_cloud_to_start(tmp_path):
    with pytest.raises(UserError, match="local is on AWS: nothing to start here"):
        bring_up(place(tmp_path, "null"))
