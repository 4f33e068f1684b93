"""A server process under wrk: how fast, how late, at what cost."""

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress

import psutil

from tests.bench.environment import ENVIRONMENT
from tests.bench.serving.servers import MissingError

SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
START_SECONDS = 60
WRK = """local bodies = {%s}
local next_body = 0
function request()
  next_body = next_body %% #bodies + 1
  return wrk.format("POST", "%s", {["Content-Type"] = "%s"}, bodies[next_body])
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %%d, "microseconds": %%d, "p50": %%f, "p99": %%f, "errors": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@contextmanager
def running(command, environment, log):
    """A started process, ended with its children."""
    told = ENVIRONMENT | {key: str(value) for key, value in environment.items()}
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=log.parent, env=told, stdout=output, stderr=output)
    try:
        yield process
    finally:
        family = family_of(process.pid) if process.poll() is None else []
        for one in family:
            one.terminate()
        for one in psutil.wait_procs(family, 20)[1]:
            one.kill()
        process.wait()


def first_answer(process, port, payload, log):
    """The answer to the payload's first body, as soon as there is one."""
    path, content_type, bodies = payload
    address = f"http://127.0.0.1:{port}{path}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        question = urllib.request.Request(address, bodies[0].encode(), {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(question, timeout=5) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.02)
    raise MissingError(f"no answer: {log.read_text()[-300:]}")


def write_script(folder, payload):
    """The payload for wrk, which sends its bodies in turn."""
    path, content_type, bodies = payload
    script = folder / "wrk.lua"
    script.write_text(WRK % (",".join(map(json.dumps, bodies)), path, content_type))
    return script


def wrk(port, script, connections, pid, *, seconds=SECONDS):
    """Load for some seconds, after one that does not count; CPU time is the server's own, of all its processes."""
    command = ["wrk", "-t1", f"-c{connections}", "-s", str(script), f"http://127.0.0.1:{port}"]
    subprocess.run([*command, "-d1s"], capture_output=True, check=True)
    before = cpu_seconds(pid)
    output = subprocess.run([*command, f"-d{seconds:g}s"], capture_output=True, text=True, check=True).stdout
    done = json.loads(output.strip().splitlines()[-1])
    return {
        "requests_per_second": round(done["requests"] / done["microseconds"] * 1e6, 1),
        "p50_ms": round(done["p50"] / 1000, 3),
        "p99_ms": round(done["p99"] / 1000, 3),
        "errors": done["errors"],
        "cpu_us": round((cpu_seconds(pid) - before) / max(done["requests"], 1) * 1e6, 1),
    }


def family_of(pid):
    """A process and all that came of it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid):
    """CPU time so far, of all processes."""
    return sum(sum(one.cpu_times()[:2]) for one in family_of(pid))


def rss_mb(pid):
    """Memory resident now, of all processes."""
    return round(sum(one.memory_info().rss for one in family_of(pid)) / 1e6, 1)


def free_port():
    """A port that nobody listens on; multi-model-server takes none from 32,768 on."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", 20_000 + secrets.randbelow(12_768)))
            return free.getsockname()[1]
