"""A demo that is killed leaves no deploy behind to meet the next run's."""

import signal
import subprocess
import sys
import time

import psutil

DEPLOYING = """
import sys
from pathlib import Path
from infra import toolchain
from infra.demo import flow
toolchain.cli = lambda name: Path(sys.argv[1])
flow.deploy("a", log=Path(sys.argv[2]))
"""
COMMAND_LINE = """#!/bin/sh
sleep 300 &
echo $$ $! > "$0.started"
wait
"""


def _until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_deploy_ends_with_all_it_started_when_the_demo_is_killed_outright(tmp_path):
    fake, started = tmp_path / "cdktf", tmp_path / "cdktf.started"
    fake.write_text(COMMAND_LINE)
    fake.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", DEPLOYING, fake, tmp_path / "log"]) as demo:
        assert _until(lambda: started.exists() and len(started.read_text().split()) == 2)
        deploy, below = map(int, started.read_text().split())
        assert psutil.pid_exists(deploy)
        assert _until(lambda: len(psutil.Process(demo.pid).children()) == 2)  # the deploy, and who watches over it
        time.sleep(0.5)  # it has been told by then
        demo.send_signal(signal.SIGKILL)
    assert _until(lambda: not _runs(deploy) and not _runs(below))


def _runs(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
