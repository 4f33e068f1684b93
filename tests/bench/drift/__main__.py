"""The drift job beside what people run today, and beside the bare limit, in one run (`make bench-drift`).

Reference of 100,000 rows, 20 numeric and 5 categorical columns; windows of 1 and 10 million rows (`BENCH_ROWS`), as
Parquet and as captured JSON Lines. Ours is the whole job: start of the process, baseline, report, page, metrics. Of
peers and limits only loading and computing counts, not their imports of up to twelve seconds. A peer gets what it can
bear on one machine: of ten million rows, NannyML alone, as Parquet (7 GB); of JSON Lines, each a million.
"""

# ruff: noqa: T201 - a bench prints

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.drift.data import MILLION, write
from tests.bench.drift.engines import PROJECT, Bench, Case
from tests.bench.drift.goals import judge

RESULT = PROJECT / "build" / "bench" / "drift.json"
SIZES = [int(size) for size in os.environ.get("BENCH_ROWS", "1000000,10000000").split(",")]
TIMES = int(os.environ.get("BENCH_TIMES", "3"))
"""Medians of so many runs; a peer runs once, for it takes its time."""
LIMITS = ("pyarrow", "polars")
PEERS = {"evidently": ("psi", "ks"), "nannyml": ("ks",), "whylogs": ("ks",)}
BEARS = {"evidently": MILLION, "nannyml": 10 * MILLION, "whylogs": MILLION}


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name:
        bench = Bench(Path(name), TIMES)
        results = [bench.job(Case("nothing", 0, "psi"))]
        for rows in SIZES:
            for form in ("parquet", "jsonl"):
                results += compare(bench, form, rows)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    judge(results)
    print(f"written to {RESULT.relative_to(PROJECT)}")


def compare(bench, form, rows):
    """Every engine that bears it, on one window, which is deleted then."""
    current = bench.folder / f"window.{form}"
    print(f"{rows:,} rows as {form}", file=sys.stderr)
    write(current, form, rows)
    found = [bench.job(Case(form, rows, statistic, current)) for statistic in ("psi", "ks")]
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
