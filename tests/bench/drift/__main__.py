"""The drift job beside what people run today, and beside the bare limit, in one run (`make bench-drift`).

Reference of 100,000 rows, 20 numeric and 5 categorical columns; windows of 1 and 10 million rows (`BENCH_ROWS`), as
Parquet and as captured JSON Lines. `whole job` is ours from the start of its process to its end: baseline, report,
page, metrics; `sagestack` is that less a job without any records. Of peers and limits too, loading and computing count,
not their imports of up to twelve seconds. A peer gets what it can bear on one machine: of ten million rows, NannyML
alone, as Parquet (7 GB); of JSON Lines, each a million.
"""

# ruff: noqa: T201 - a bench prints

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.drift.data import MILLION
from tests.bench.drift.engines import PROJECT, Bench, Case
from tests.bench.drift.goals import judge

RESULT = PROJECT / "build" / "bench" / "drift.json"
SIZES = [int(size) for size in os.environ.get("BENCH_ROWS", "1000000,10000000").split(",")]
TIMES = int(os.environ.get("BENCH_TIMES", "3"))
"""Medians of so many runs; a peer runs once, for it takes its time."""
WHOLE = "whole job"
LIMITS = ("pyarrow", "polars")
PEERS = {"evidently": ("psi", "ks"), "nannyml": ("ks",), "whylogs": ("ks",)}
BEARS = {"evidently": MILLION, "nannyml": 10 * MILLION, "whylogs": MILLION}


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        bench = Bench(Path(name), TIMES)
        start_up = bench.job(Case("nothing", 0, "psi"))
        results = [start_up]
        for rows in SIZES:
            for form in ("parquet", "jsonl"):
                results += compare(bench, form, rows, start_up["seconds"])
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    judge(results)
    print(f"written to {RESULT.relative_to(PROJECT)}")


def compare(bench, form, rows, start_up):
    """Every engine that bears it, on one window, which is deleted then."""
    current = bench.folder / f"window.{form}"
    print(f"{rows:,} rows as {form}", file=sys.stderr)
    # In a process of its own: a child's peak memory is never less than what its parent had when it began.
    command = [sys.executable, "-m", "tests.bench.drift.data", str(current), form, str(rows)]
    subprocess.run(command, check=True, cwd=PROJECT)
    whole = [bench.job(Case(form, rows, statistic, current)) for statistic in ("psi", "ks")]
    found = [one | {"engine": WHOLE} for one in whole]
    found += [one | {"seconds": round(one["seconds"] - start_up, 3)} for one in whole]
    if form == "parquet":
        found += [bench.peer(limit, Case(form, rows, "bins", current), TIMES) for limit in LIMITS]
    for peer, statistics in PEERS.items():
        if rows <= (BEARS[peer] if form == "parquet" else MILLION):
            found += [bench.peer(peer, Case(form, rows, statistic, current)) for statistic in statistics]
        else:
            print(f"{peer} is left out: it does not bear {rows:,} rows as {form}", file=sys.stderr)
    shutil.rmtree(current) if current.is_dir() else current.unlink()
    return [one for one in found if one]


if __name__ == "__main__":
    main()
