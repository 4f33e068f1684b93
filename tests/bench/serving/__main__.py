"""This server beside what people run today, one after the other, in one run (`make bench-serving`).

One worker each unless the name says otherwise; wrk, on the same cores, sends rows that vary at 1 and 16 connections. A
row says `csv100` where it carries 100 rows, in JSON for a peer without CSV. `cpu_us` is the server's own CPU time a
request, which other work on the machine disturbs least. `--soak MINUTES` loads this server alone and watches
its memory; `--only NAME …` measures the servers whose names begin so.
"""

# ruff: noqa: T201 - a bench prints

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np

from serving.contract import MODEL_DIRECTORY, TREES_LIBRARY_VARIABLE
from serving.core.predictor import Predictor
from tests.bench.serving.goals import judge
from tests.bench.serving.load import first_answer, free_port, rss_mb, running, write_script, wrk
from tests.bench.serving.scaling import scaling
from tests.bench.serving.servers import PEERS, PROJECT, TREES, TWO_WORKERS, MissingError, ours, servers
from tests.bench.serving.soak import soak
from tests.bench.serving.workload import first_score, payloads, train

RESULT = PROJECT / "build" / "bench" / "serving.json"
CONNECTIONS = (1, 16)
TOLERANCE = 1e-6


def main():
    parser = argparse.ArgumentParser(prog="make bench-serving")
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("make bench-serving needs wrk: apt install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, rows = train(folder)
        if asked.soak:
            sys.exit(soak(folder, rows, next(one for one in ours(folder) if one["server"] == "sagestack"), asked.soak))
        results = [*in_process(folder, model, rows)]
        expected = float(model.predict(rows[:1])[0])
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        for server in servers(folder, tuple(asked.only)):
            results += measure(folder, rows, expected, server)
            RESULT.write_text(json.dumps(results, indent=1) + "\n")  # what is measured stays, whatever comes
        by_name = {server["server"]: server for server in ours(folder)}
        scales = [*scaling(folder, rows, by_name["sagestack"], by_name[TWO_WORKERS])]
    show(results)
    judge(results, scales)
    print(f"written to {RESULT.relative_to(PROJECT)}")


def measure(folder, rows, expected, server):
    """The rows of one server; one that cannot be measured has a single row that says why."""
    about = {"server": server["server"], "version": server.get("version")}
    print(*about.values(), file=sys.stderr)
    try:
        for row in measured(folder, rows, expected, server):
            yield about | row
    except MissingError as reason:
        print(reason, file=sys.stderr)
        yield {**about, "missing": str(reason)}


def measured(folder, rows, expected, server):
    if reason := server.get("missing"):
        raise MissingError(reason)
    known = payloads(rows, server.get("dialect", "sagemaker"))
    command, environment, port = prepared(folder, server)
    started = time.perf_counter()
    with running(command, environment, folder / "log") as process:
        answer = first_answer(process, port, known["json1"], folder / "log")
        cold = round(time.perf_counter() - started, 2)
        if server.get("correct", True) and abs(first_score(answer) - expected) > TOLERANCE:
            sys.exit(f"{server['server']} answers {first_score(answer)}, LightGBM {expected}")
        for name, payload in known.items():
            script = write_script(folder, payload)
            for connections in CONNECTIONS:
                load = wrk(port, script, connections, process.pid)
                about = {"payload": name, "connections": connections}
                yield {**about, **load, "rss_mb": rss_mb(process.pid), "cold_start_seconds": cold}


def prepared(folder, server):
    """A server's command and environment, with its ports, of which the first is returned too."""
    port, other, config = free_port(), free_port(), folder / "config"
    config.write_text(server.get("config", "").format(port=port, other=other))
    environment = {"BENCH_PORT": port, "SAGEMAKER_BIND_TO_PORT": port, "MLSERVER_HTTP_PORT": port}
    environment |= {"BENCH_MODEL": folder / MODEL_DIRECTORY / "model.txt", "PYTHONPATH": f"{PROJECT}:{PEERS}"}
    environment |= {"MLSERVER_GRPC_PORT": other, "MLSERVER_METRICS_PORT": free_port(), **server.get("environment", {})}
    return [word.format(port=port, config=config) for word in server["command"]], environment, port


def in_process(folder, model, rows):
    """What scoring alone takes: no HTTP, no parsing."""
    os.environ[TREES_LIBRARY_VARIABLE] = str(TREES)
    compiled = Predictor.load(folder / MODEL_DIRECTORY)
    calls = {"in process, LightGBM's predict": lambda part: model.predict(part, num_threads=1)}
    calls["in process, sagestack's predictor"] = compiled.score
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
                "rss_mb": rss_mb(os.getpid()), "cold_start_seconds": None,
            }  # fmt: skip


def show(results):
    columns = ("requests_per_second", "p50_ms", "p99_ms", "errors", "cpu_us", "rss_mb", "cold_start_seconds")
    print(f"{'server':34}{'version':16}{'payload':8}{'conn.':>5}" + "".join(f"{one[:12]:>13}" for one in columns))
    for row in results:
        if "missing" in row:
            print(f"{row['server']:34}not measured: {row['missing']}")
            continue
        cells = "".join(f"{row[one] if row[one] is not None else '':>13}" for one in columns)
        print(f"{row['server']:34}{row['version']:16}{row['payload']:8}{row['connections']:>5}{cells}")


if __name__ == "__main__":
    main()
