"""This server beside what people run today, one after the other, in one run (`make bench-serving`).

A LightGBM classifier of 200 trees of 31 leaves on 20 features; one worker each; wrk, on the same cores, sends 2,000
different rows at 1 and 16 connections. A row says `csv100` where it carries 100 rows, in JSON for a peer without CSV.
`cpu_us` is the server's own CPU time a request, which other work on the machine disturbs least.
"""

# ruff: noqa: T201 - a bench prints

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

import lightgbm
import numpy as np
import psutil

from serving.contract import MODEL_DIRECTORY, TREES_LIBRARY_VARIABLE
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature, sha256, write_signature

PROJECT = Path(__file__).parents[2]
RESULT = PROJECT / "build" / "bench" / "serving.json"
TREES = PROJECT / "build" / "trees.so"
PEERS = Path(__file__).parent / "peers"
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
START_SECONDS = 60
CONNECTIONS = (1, 16)
FEATURES = 20
OURS = version("sagestack")
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


def main():
    if shutil.which("wrk") is None:
        sys.exit("make bench-serving needs wrk: apt install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, rows = train(folder)
        results = [*in_process(folder, model, rows)]
        for server in servers(folder):
            results += measure(folder, rows, model, **server)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    show(results)
    judge(results)


def train(folder):
    """The model, in our artifact's form and in LightGBM's, and rows that vary."""
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(20_000, FEATURES))
    late = rows[:, 0] + rows[:, 1] * rows[:, 2] + np.sin(3 * rows[:, 3]) + chance.normal(size=20_000) / 2 > 0
    settings = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, late.astype(float)), 200)
    artifact = folder / MODEL_DIRECTORY
    artifact.mkdir()
    text = booster.model_to_string().encode()
    (artifact / "model.txt").write_bytes(text)
    inputs = tuple(Input(f"f{number}", "numeric") for number in range(FEATURES))
    digest = sha256(text)
    write_signature(Signature("bench", "binary-classification", "4.7.0", "model.txt", digest, inputs, 0.5), artifact)
    return booster, np.round(rows[:2000], 5)


def servers(folder):
    python = sys.executable
    ours = {"SAGESTACK_ML_ROOT": str(folder), "SAGESTACK_BIND_HOST": "127.0.0.1"}
    ours_command = [python, "-m", "serving", "serve"]
    yield {"server": "echo", "release": f"uvloop {version('uvloop')}", "command": [python, str(PEERS / "echo_peer.py")]}
    yield {
        "server": "sagestack",
        "release": OURS,
        "command": ours_command,
        "environment": {**ours, TREES_LIBRARY_VARIABLE: str(TREES)},
    }
    yield {
        "server": "sagestack, LightGBM's walk",
        "release": OURS,
        "command": ours_command,
        "environment": {**ours, TREES_LIBRARY_VARIABLE: ""},
    }
    listen = ["--host", "127.0.0.1", "--port", "{port}", "--no-access-log"]
    yield peer("FastAPI", "fastapi", ["uvicorn", "fastapi_peer:app", *listen])
    yield peer("Flask + gunicorn", "flask", ["gunicorn", "--bind", "127.0.0.1:{port}", "flask_peer:app"])
    yield {**peer("MLServer", "mlserver", ["mlserver", "start", str(mlserver_folder(folder))]), "v2": True}


def peer(name, package, command):
    """A peer in an environment of its own; left out if that is not there."""
    binaries = PROJECT / ".venvs" / f"bench-{package}" / "bin"
    code = f"from importlib.metadata import version; print(version('{package}'))"
    release = subprocess.run([binaries / "python", "-c", code], capture_output=True, text=True, check=True)
    return {"server": name, "release": release.stdout.strip(), "command": [str(binaries / command[0]), *command[1:]]}


def mlserver_folder(folder):
    home = folder / "mlserver"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps({"parallel_workers": 0, "host": "127.0.0.1"}))
    model = {"uri": str(folder / MODEL_DIRECTORY / "model.txt")}
    implementation = "mlserver_lightgbm.LightGBMModel"
    description = {"name": "bench", "implementation": implementation, "parameters": model}
    (home / "model-settings.json").write_text(json.dumps(description))
    return home


def payloads(rows, *, v2):
    """By name: the path, the content type, the bodies."""

    def tensor(part):
        data = {"name": "x", "datatype": "FP64", "shape": list(part.shape), "data": part.ravel().tolist()}
        return json.dumps({"inputs": [data]})

    def csv(part):
        return "".join(",".join(map(repr, row)) + "\n" for row in part.tolist())

    hundreds = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    ones = [rows[number : number + 1] for number in range(len(rows))]
    if v2:
        where = ("/v2/models/bench/infer", "application/json")
        return {"json1": (*where, [*map(tensor, ones)]), "csv100": (*where, [*map(tensor, hundreds)])}
    return {
        "csv1": ("/invocations", "text/csv", [*map(csv, ones)]),
        "json1": ("/invocations", "application/json", [json.dumps({"instances": one.tolist()}) for one in ones]),
        "csv100": ("/invocations", "text/csv", [*map(csv, hundreds)]),
    }


def measure(folder, rows, model, *, server, release, command, environment=None, v2=False):
    port = free_port()
    told = {"BENCH_PORT": port, "SAGEMAKER_BIND_TO_PORT": port, "MLSERVER_HTTP_PORT": port, **(environment or {})}
    told |= {"BENCH_MODEL": folder / MODEL_DIRECTORY / "model.txt", "PYTHONPATH": f"{PROJECT}:{PEERS}"}
    told |= {"MLSERVER_GRPC_PORT": free_port(), "MLSERVER_METRICS_PORT": free_port()}
    print(f"{server} {release}", file=sys.stderr)
    started = time.perf_counter()
    words = [word.format(port=port) for word in command]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            words, env=os.environ | {key: str(value) for key, value in told.items()}, stdout=log, stderr=log
        )
    try:
        known = payloads(rows, v2=v2)
        answer = first_answer(process, port, known["json1"], folder / "log")
        cold = time.perf_counter() - started
        if server != "echo":
            check(answer, float(model.predict(rows[:1])[0]), server)
        for name, payload in known.items():
            script = folder / "wrk.lua"
            script.write_text(WRK % (",".join(map(json.dumps, payload[2])), *payload[:2]))
            for connections in CONNECTIONS:
                load = wrk(port, script, connections, process.pid)
                about = {"server": server, "version": release, "payload": name, "connections": connections}
                yield {**about, **load, "rss_mb": rss(process.pid), "cold_start_seconds": round(cold, 2)}
    finally:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.terminate()
        process.wait(30)


def first_answer(process, port, payload, log):
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
    sys.exit(f"no answer: {log.read_text()[-2000:]}")


def check(answer, expected, server):
    document = json.loads(answer)
    score = document["outputs"][0]["data"][0] if "outputs" in document else document["predictions"][0]["score"]
    if abs(score - expected) > 1e-6:
        sys.exit(f"{server} answers {score}, LightGBM {expected}")


def wrk(port, script, connections, pid):
    command = ["wrk", "-t1", f"-c{connections}", "-s", str(script), f"http://127.0.0.1:{port}"]
    subprocess.run([*command, "-d1s"], capture_output=True, check=True)
    before = cpu_seconds(pid)
    output = subprocess.run([*command, f"-d{SECONDS:g}s"], capture_output=True, text=True, check=True).stdout
    done = json.loads(output.strip().splitlines()[-1])
    return {
        "requests_per_second": round(done["requests"] / done["microseconds"] * 1e6, 1),
        "p50_ms": round(done["p50"] / 1000, 3),
        "p99_ms": round(done["p99"] / 1000, 3),
        "errors": done["errors"],
        "cpu_us": round((cpu_seconds(pid) - before) / max(done["requests"], 1) * 1e6, 1),
    }


def family(pid):
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid):
    return sum(sum(one.cpu_times()[:2]) for one in family(pid))


def rss(pid):
    return round(sum(one.memory_info().rss for one in family(pid)) / 1e6, 1)


def in_process(folder, model, rows):
    """What scoring alone takes: no HTTP, no parsing."""
    os.environ[TREES_LIBRARY_VARIABLE] = str(TREES)
    ours = Predictor.load(folder / MODEL_DIRECTORY)
    calls = {"in process, LightGBM's predict": lambda part: model.predict(part, num_threads=1)}
    calls["in process, sagestack's predictor"] = ours.score
    for name, call in calls.items():
        for payload, size in (("csv1", 1), ("csv100", 100)):
            seconds = []
            for start in range(0, 2000, max(size, 4)):
                began = time.perf_counter()
                call(rows[start : start + size])
                seconds.append(time.perf_counter() - began)
            median, worst = np.percentile(seconds, [50, 99])
            yield {
                "server": name, "version": lightgbm.__version__, "payload": payload, "connections": 1,
                "requests_per_second": round(1 / float(np.mean(seconds)), 1), "p50_ms": round(median * 1000, 4),
                "p99_ms": round(worst * 1000, 4), "errors": 0, "cpu_us": round(float(median) * 1e6, 1),
                "rss_mb": rss(os.getpid()), "cold_start_seconds": None,
            }  # fmt: skip


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def show(results):
    columns = ("requests_per_second", "p50_ms", "p99_ms", "errors", "cpu_us", "rss_mb", "cold_start_seconds")
    print(f"{'server':34}{'version':16}{'payload':8}{'conn.':>5}" + "".join(f"{one[:12]:>13}" for one in columns))
    for row in results:
        cells = "".join(f"{row[one] if row[one] is not None else '':>13}" for one in columns)
        print(f"{row['server']:34}{row['version']:16}{row['payload']:8}{row['connections']:>5}{cells}")


def judge(results):
    """The goals, met or missed."""

    def of(server, payload, field):
        return next(
            row[field]
            for row in results
            if (row["server"], row["payload"], row["connections"]) == (server, payload, 16)
        )

    peers = {row["server"] for row in results if row["server"] in {"FastAPI", "Flask + gunicorn", "MLServer"}}
    at_16 = [row for row in results if row["server"] in peers and row["connections"] == max(CONNECTIONS)]
    for payload, kinds, times in (("csv1", ("csv1", "json1"), 20), ("csv100", ("csv100",), 4)):
        best = max((row for row in at_16 if row["payload"] in kinds), key=lambda row: row["requests_per_second"])
        ratio = of("sagestack", payload, "requests_per_second") / best["requests_per_second"]
        say(f"{payload}: times the best peer ({best['server']})", ratio, times, at_least=True)
        tail = of("sagestack", payload, "p99_ms") / min(row["p99_ms"] for row in at_16 if row["payload"] in kinds)
        say(f"{payload}: p99 as a share of the best peer's", tail, 0.1)
    share = of("sagestack", "csv1", "requests_per_second") / of("echo", "csv1", "requests_per_second")
    say("csv1: share of the no-op rate", share, 0.6, at_least=True)
    say("cold start, seconds", of("sagestack", "csv1", "cold_start_seconds"), 1)
    say("RSS, MB", of("sagestack", "csv1", "rss_mb"), 100)
    print(f"written to {RESULT.relative_to(PROJECT)}")


def say(what, value, goal, *, at_least=False):
    met = value >= goal if at_least else value <= goal
    print(f"{what}: {value:.2f} (goal: at {'least' if at_least else 'most'} {goal}): {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
