"""Cold synth of every stack, against what merely importing the prebuilt AWS bindings takes; then up to 500 models.

Seconds are wall time from the start of the process to its end; MB are the peak of its largest process, as
`/usr/bin/time` tells them (python and node are two). Medians of five, alternating, on whatever else the machine does.
Both find their bytecode compiled, as from any second run on: one run of each before these is not measured.
"""

# ruff: noqa: T201 - a bench prints

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import synth_scale
from tests.bench.environment import ENVIRONMENT

PROJECT = Path(__file__).parents[2]
RESULT = PROJECT / "build" / "bench" / "synth.json"
BINDINGS = PROJECT / ".venvs" / "bindings" / "bin" / "python"
NODE = PROJECT / ".venv" / "bin" / "node"
RUNS = 5
GOALS = {"synth_seconds": 1.5, "synth_mb": 130, "ratio": 0.1}


def main():
    synths, imports = [], []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(1 + RUNS):
            print(f"run {run} of {RUNS}" if run else "a run that is not measured", file=sys.stderr)
            output = Path(folder, str(run))
            synths.append(measure(sys.executable, "-m", "infra", CDKTF_OUTDIR=str(output)))
            imports.append(measure(str(BINDINGS), "-c", "import cdktf_cdktf_provider_aws", JSII_NODE=str(NODE)))
        resources = count(output)
    (synth_seconds, synth_mb), (import_seconds, import_mb) = medians(synths[1:]), medians(imports[1:])
    result = {
        "synth_seconds": round(synth_seconds, 2),
        "synth_mb": round(synth_mb),
        "resources": resources,
        "bindings_import_seconds": round(import_seconds, 2),
        "bindings_mb": round(import_mb),
        "ratio": round(synth_seconds / import_seconds, 3),
        "scale": synth_scale.result(synth_scale.rows(measure)),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


def measure(*command, **variables):
    """Seconds and MB of a process that ends well."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, env=ENVIRONMENT | variables)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return time.perf_counter() - started, kilobytes / 1000


def medians(measurements):
    return [statistics.median(column) for column in zip(*measurements, strict=True)]


def count(output):
    documents = (json.loads(file.read_text()) for file in output.glob("stacks/*/cdk.tf.json"))
    return sum(len(named) for document in documents for named in document["resource"].values())


def show(result):
    print(f"{'':32}{'seconds':>9}{'peak MB':>9}")
    synth = f"cold synth of {result['resources']} resources"
    print(f"{synth:32}{result['synth_seconds']:9}{result['synth_mb']:9}")
    print(f"{'import of the prebuilt bindings':32}{result['bindings_import_seconds']:9}{result['bindings_mb']:9}")
    for name, goal in GOALS.items():
        print(f"{name} {result[name]} (goal: at most {goal}): {'met' if result[name] <= goal else 'MISSED'}")
    synth_scale.show(result["scale"])
    print(f"written to {RESULT.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
