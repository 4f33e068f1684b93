"""False alarms and detections on real data, beside evidently's and NannyML's defaults (`make bench-drift-quality`).

A data set is taken for the population; baselines and windows are drawn from it, each row independently, so that without
a shift nothing parts them but chance, whatever their sizes. Every engine gets the same references of 50,000 rows and
the same windows, unchanged or shifted in one way (`shifts.py`), and says for each how many of its thresholds it
reaches; from 1 on it alarms. Ours is the drift job's own code, told `false_alarm_rate: 0.05` and nothing else.

Peers have no rate to choose. So each is compared at matched rates too: its thresholds multiplied by what 5 % of the
unchanged windows of that data set and size reach, which flatters it, for those are the windows that it is measured on.
With BENCH_EFFORT below 1, such as 0.3, that share of the windows is drawn, of one reference instead of two.
"""

# ruff: noqa: T201 - a bench prints

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import polars as pl

from tests.bench.drift_quality.data import PROJECT, data_sets
from tests.bench.drift_quality.shifts import SHIFTS
from tests.bench.drift_quality.table import false_alarm_rows, rows_of, show

RESULT = PROJECT / "build" / "bench" / "drift_quality.json"
EFFORT = float(os.environ.get("BENCH_EFFORT", "1"))
SIZES = [int(rows) for rows in os.environ.get("BENCH_ROWS", "500,5000,50000").split(",")]
REFERENCE = 50_000
DIVISIONS = 2 if EFFORT >= 1 else 1
"""So many references a data set and size, each with its own windows."""
WINDOWS = {500: (50, 12), 5_000: (40, 8), 50_000: (30, 4)}
"""Windows of each division: unchanged, and of each shift. Of the largest ones nearly all are seen, or none."""
ALONE = {500: (40, 50), 5_000: (40, 50), 50_000: (60, 10)}
"""References, and unchanged windows of each, that our false alarms alone are counted on besides.

Large windows against one and the same reference err together: there, more references tell more than more windows.
"""
PEERS = ("evidently", "nannyml")
QUIET = {"PYTHONWARNINGS": "ignore", "NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "OPENBLAS_NUM_THREADS": "1"}


def main():
    sets = {data.name: data for data in data_sets()}
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as name,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        waiting = []
        for data, rows, division in product(sets.values(), SIZES, range(DIVISIONS)):
            folder = Path(name) / data.name / f"{rows}-{division}"
            lay(folder, data, rows, division)
            for engine in ("sagestack", *PEERS):
                waiting.append((data.name, rows, engine, pool.submit(verdicts, engine, folder, data.name, rows)))  # noqa: PERF401
        alone = [
            (
                data,
                rows,
                pool.submit(run, [sys.executable, "-m", "tests.bench.drift_quality.ours", data, str(rows), *few(rows)]),
            )
            for data, rows in product(sets, SIZES)
        ]
        verdicts_ = [(*of, said) for *of, task in waiting if (said := task.result())]
        found = rows_of(verdicts_) + false_alarm_rows([(*of, json.loads(task.result())) for *of, task in alone])
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    show(found)
    print(f"written to {RESULT.relative_to(PROJECT)}")


def lay(folder, data, rows, division):
    """A reference, and a file of windows for each shift, one after the other."""
    folder.mkdir(parents=True)
    inputs = [*data.numeric, *data.categorical]
    data.draw(REFERENCE, seed=division).select(inputs).write_parquet(folder / "reference.parquet")
    for place, (shift, change) in enumerate(SHIFTS.items()):
        windows = range(max(1, round(EFFORT * WINDOWS[rows][any(shift[1:])])))
        seeds = (1_000 * (division + 1) + 100_000 * place + window for window in windows)
        changed = [change(data.draw(rows, seed), data).select(inputs) for seed in seeds]
        pl.concat(changed).write_parquet(folder / f"windows-{place:02}.parquet")


def few(rows):
    references, windows = ALONE[rows]
    return str(max(2, round(EFFORT * references))), str(windows)


def verdicts(engine, folder, data, rows):
    """What an engine says of a folder's windows; None, said with the reason, if it cannot be run."""
    if engine == "sagestack":
        command = [sys.executable, "-m", "tests.bench.drift_quality.ours", str(folder), str(rows), data]
    else:
        python = PROJECT / ".venvs" / f"bench-{engine}" / "bin" / "python"
        command = [str(python), str(Path(__file__).parent / "peers" / f"{engine}_peer.py"), str(folder), str(rows)]
    try:
        return json.loads(run(command))
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"{engine} is left out: {error} {getattr(error, 'stderr', '')[-2000:]}", file=sys.stderr)
        return None


def run(command):
    """The last line that a command prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT, env=os.environ | QUIET)
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    main()
