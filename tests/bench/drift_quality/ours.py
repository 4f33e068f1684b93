"""Ours: the drift job's own verdict, with `false_alarm_rate` and every default besides.

`ours FOLDER ROWS DATA` judges a folder's windows, as a peer does; `ours DATA ROWS REFERENCES WINDOWS` counts false
alarms on so many windows of so many references.
"""

# ruff: noqa: T201 - a bench prints

import json
import sys
from importlib.metadata import version
from pathlib import Path

import polars as pl

from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.correlation import Association, numbers
from monitoring.counting import Part
from monitoring.profile import Profile
from monitoring.report import compare, thresholds_of
from monitoring.sample import Sample
from monitoring.spec import DriftSpec
from monitoring.tally import Tally
from tests.bench.drift_quality.data import data_sets

RATE = 0.05
REFERENCE = 50_000
NO_SCORE = NumericBins("score", ())


def spec(data, **change):
    document = {
        "schema_version": 1, "model": data.name, "problem": "binary-classification", "label": "label", "time": "t",
        "numeric": list(data.numeric), "categorical": list(data.categorical), "endpoint": "e", "variant": "main",
        "capture_uri": "s3://none/none", "schedule": "daily", "psi_threshold": 0.2, "minimum_rows": 1,
        "false_alarm_rate": RATE,
    }  # fmt: skip
    return DriftSpec.from_json(json.dumps(document | change))


class Judge:
    """What the baseline job keeps of a reference, and how the drift job judges windows of one size by it."""

    def __init__(self, data, reference, rows, **change):
        self.spec, self.rows = spec(data, **change), rows
        bins = [NumericBins.fit(reference[name]) for name in data.numeric]
        bins += [CategoricalBins.fit(reference[name]) for name in data.categorical]
        profile = Profile.of(bins, NO_SCORE, reference, pl.Series([], dtype=pl.Float64))
        association = Association.fit(data.numeric, numbers(reference, data.numeric))
        sample = Sample.of(bins, reference, association)
        self.baseline = Baseline(data.name, "none", "0", profile, association, sample=sample)
        # Every window of one size has the same thresholds; the job finds them anew each time.
        self.thresholds = thresholds_of(self.baseline, rows, self.spec)

    def ratio(self, window):
        """The window's largest statistic in thresholds: from 1 on it is drift."""
        part = Part.of(self.baseline, window, pl.Series([None] * len(window), dtype=pl.Float64), Tally())
        return compare(
            self.baseline, part.profile, self.spec, moments=part.moments, thresholds=self.thresholds
        ).max_drift


def judged(folder, rows, data):
    """By file of windows, each window's ratio."""
    judge = Judge(data, pl.read_parquet(folder / "reference.parquet"), rows)
    found = {}
    for file in sorted(folder.glob("windows-*.parquet")):
        windows = pl.read_parquet(file)
        found[file.stem] = [judge.ratio(windows[start : start + rows]) for start in range(0, len(windows), rows)]
    return {"ratios": {"sagestack": found}}


def false_alarms(data, rows, references, windows):
    """How many unchanged windows of each reference raise the alarm."""
    alarms = []
    for reference in range(references):
        judge = Judge(data, data.draw(REFERENCE, seed=10_000_000 + reference), rows)
        seeds = (20_000_000 + 10_000 * reference + window for window in range(windows))
        alarms.append(sum(judge.ratio(data.draw(rows, seed)) >= 1 for seed in seeds))
    return {"windows": references * windows, "alarms": alarms}


def main(first, rows, *more):
    sets = {data.name: data for data in data_sets()}
    if first in sets:
        said = false_alarms(sets[first], int(rows), *map(int, more))
    else:
        said = judged(Path(first), int(rows), sets[more[0]])
    print(json.dumps({"version": version("sagestack")} | said))


if __name__ == "__main__":
    main(*sys.argv[1:])
