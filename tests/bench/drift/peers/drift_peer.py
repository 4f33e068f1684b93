"""What the peers share: read both sides, say how long loading and computing took (imports do not count)."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

NUMERIC, CATEGORICAL = [f"n{place}" for place in range(20)], [f"c{place}" for place in range(5)]


def measure(package, compute, read=None):
    """Run `compute(reference, current, statistic)` on what `read` makes of the files; print the row."""
    reference, current, statistic = sys.argv[1:]
    read = read or frame
    began = time.perf_counter()
    compute(read(reference), read(current), statistic)
    print(json.dumps({"version": version(package), "seconds": round(time.perf_counter() - began, 3)}))  # noqa: T201


def frame(path):
    """A file as people load it into pandas; captured JSON Lines by their CSV payloads."""
    import pandas as pd  # noqa: PLC0415 - not every peer has it

    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    records = pd.concat([pd.read_json(file, lines=True) for file in sorted(Path(path).rglob("*.jsonl"))])
    rows = records["captureData"].map(lambda data: data["endpointInput"]["data"].split(","))
    table = pd.DataFrame(rows.tolist(), columns=[*NUMERIC, *CATEGORICAL])
    return table.astype(dict.fromkeys(NUMERIC, float))
