import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from infra.local.cloud import LocalCloud
from infra.processes import spawn, stop
from infra.watchdog import surviving_groups

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(15, lambda *_: None); print(flush=True); time.sleep(60)",
]
ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def cloud(tmp_path):
    cloud = LocalCloud(tmp_path, "http://127.0.0.1:1", "us-east-1", "123456789012")
    yield cloud
    cloud.stop()


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_stopping_the_cloud_ends_every_child(cloud):
    children = [spawn(cloud.children, SLEEP, env=ENVIRONMENT, stdout=subprocess.DEVNULL) for _ in range(3)]
    cloud.stop()
    assert [child.poll() for child in children] == [-signal.SIGTERM] * 3


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(cloud):
    child = spawn(cloud.children, STUBBORN, env=ENVIRONMENT, stdout=subprocess.PIPE)
    child.stdout.readline()
    assert stop(child, grace_seconds=0.1) == -signal.SIGKILL
    child.stdout.close()


def test_a_child_sees_only_the_environment_it_is_given(cloud):
    code = "import os; print(sorted(os.environ))"
    child = spawn(cloud.children, [sys.executable, "-I", "-S", "-c", code], env={"LC_ALL": "C"}, stdout=subprocess.PIPE)
    assert child.communicate()[0].decode().strip() == "['LC_ALL']"


def test_stopping_calls_the_last_registered_callback_first_and_the_rest_although_one_fails(cloud):
    called = []
    cloud.on_stop(lambda: called.append("first"))
    cloud.on_stop(lambda: 1 / 0)
    cloud.on_stop(lambda: called.append("last"))
    with pytest.raises(ZeroDivisionError):
        cloud.stop()
    assert called == ["last", "first"]
    cloud._at_stop.clear()


def test_a_killed_cloud_leaves_no_process_behind_not_even_a_grandchild(tmp_path):
    program = textwrap.dedent(f"""
        import subprocess, sys, time
        from pathlib import Path
        from infra.local.cloud import LocalCloud
        from infra.processes import spawn
        cloud = LocalCloud(Path({str(tmp_path)!r}), "", "", "")
        nested = "import subprocess, sys; print(subprocess.Popen({SLEEP!r}).pid, flush=True); " + {SLEEP[-1]!r}
        child = spawn(cloud.children, [sys.executable, "-S", "-c", nested], env={{}}, stdout=subprocess.PIPE)
        print(child.pid, child.stdout.readline().decode().strip(), cloud.children._watchdog.pid, flush=True)
        time.sleep(60)
    """)
    killed = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in killed.stdout.readline().split()]
    assert len(pids) == 3
    assert all(runs(pid) for pid in pids)
    killed.kill()
    killed.communicate()
    assert wait_until(lambda: not any(runs(pid) for pid in pids))


def test_the_watchdog_spares_groups_that_were_taken_back():
    assert surviving_groups(["+10\n", "+11\n", "-10\n", "+12\n"]) == {11, 12}
