"""What the peers share: every window of a folder, judged against its reference; each verdict in thresholds."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd


def judge(package, fit):
    """Print, by engine and file of windows, how many thresholds each window reaches; from 1 on the engine alarms.

    `fit(reference, rows)` gives a function of a window, which gives a dictionary by engine.
    """
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    verdict = fit(pd.read_parquet(folder / "reference.parquet"), rows)
    found = {}
    for file in sorted(folder.glob("windows-*.parquet")):
        windows = pd.read_parquet(file)
        for start in range(0, len(windows), rows):
            for engine, ratio in verdict(windows[start : start + rows].reset_index(drop=True)).items():
                found.setdefault(engine, {}).setdefault(file.stem, []).append(float(ratio))
    print(json.dumps({"version": version(package), "ratios": found}))  # noqa: T201


def categories(frame):
    """The columns that are text."""
    return [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
