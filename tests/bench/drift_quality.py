"""False alarms and detections of every statistic on real flights (`make bench-drift-quality`).

Each time, the baseline is a random half of the year's flights, and windows are drawn from the other half: unchanged
for false alarms, or changed in one way for detections. Figures are shares of windows in which any of the 15 features
drifted. The customary fixed threshold stands beside the calibrated ones, and the job's own verdict with a rate: PSI and
correlations, with half of it each. Peers are not compared yet.
"""

# ruff: noqa: T201 - a bench prints

import json
from pathlib import Path

import numpy as np
import polars as pl

from infra.demo import flights
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.calibration import calibrated_thresholds
from monitoring.correlation import Association
from monitoring.moments import Moments
from monitoring.profile import Distribution
from monitoring.statistics import PSI, STATISTICS

RESULT = Path(__file__).parents[2] / "build" / "bench" / "drift-quality.json"
RATE = 0.05
FIXED = 0.25
SPLITS = 20
WINDOWS = {500: 20, 5_000: 20, 50_000: 6}
"""How many windows of how many rows, of each of the splits."""
NUMERIC = ["departure_minute", "arrival_minute", "day_of_week", "distance", *flights.WEATHER]
CATEGORICAL = ["carrier", "origin", "dest"]
ENGINES = {
    "psi": ("psi", "psi"),
    "jensen-shannon": ("jensen-shannon", "jensen-shannon"),
    "chi-square": ("chi-square", "chi-square"),
    "kolmogorov-smirnov": ("kolmogorov-smirnov", "psi"),
    "wasserstein": ("wasserstein", "psi"),
}
"""Statistics of numeric and of categorical features."""


def but_for(share, column, value=None):
    """All rows but a share keep their value."""
    return pl.when(pl.int_range(pl.len()) >= share * pl.len()).then(column).otherwise(pl.lit(value)).alias(column)


def more_late(window):
    twice = pl.concat([window.filter(late=1), window])
    return twice.sample(len(window), seed=len(window))


SHIFTS = {
    "none": lambda window: window,
    "mean of temp, 0.1 sd": lambda window: window.with_columns(pl.col("temp") + 1.8),
    "mean of temp, 0.3 sd": lambda window: window.with_columns(pl.col("temp") + 5.4),
    "scale of distance, 1.1": lambda window: window.with_columns(pl.col("distance") * 1.1),
    "new category, 1 %": lambda window: window.with_columns(but_for(0.01, "carrier", "ZZ")),
    "missing humid, 1 %": lambda window: window.with_columns(but_for(0.01, "humid")),
    "twice as many late": more_late,
    "correlation only": lambda window: window.with_columns(pl.col("dewp").shuffle(seed=1)),
}


def main():
    year = pl.concat([flights.month(number) for number in range(1, 13)])
    found = []
    for rows, windows in WINDOWS.items():
        splits = [split(year.sample(fraction=1.0, shuffle=True, seed=seed), rows, windows) for seed in range(SPLITS)]
        for shift, engine in splits[0]:
            share = float(np.mean([one[shift, engine] for one in splits]))
            found.append(
                {"rows": rows, "shift": shift, "engine": engine, "windows": windows * SPLITS, "drifted": share}
            )
        show(found, rows)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")


def split(year, rows, windows):
    """By shift and engine, the share of windows with drift, of one division into baseline and rest."""
    reference, rest = year[: len(year) // 2], year[len(year) // 2 :]
    bins = [NumericBins.fit(reference[name]) for name in NUMERIC]
    bins += [CategoricalBins.fit(reference[name]) for name in CATEGORICAL]
    baseline = [Distribution.of(one, reference[one.name]) for one in bins]
    engines, rate = judges(baseline, rows), 1 - (1 - RATE) ** 0.5
    association = Association.fit(NUMERIC, numbers(reference))
    half = calibrated_thresholds(baseline, [PSI] * len(baseline), rows, rate)
    drifted = {}
    for shift, change in SHIFTS.items():
        changed = [change(rest.sample(rows, seed=seed)) for seed in range(windows)]
        columns = [np.stack(column) for column in zip(*(count(bins, window) for window in changed), strict=True)]
        raised = {name: alarms(baseline, columns, *judge) for name, judge in engines.items()}
        alone = alarms(baseline, columns, [PSI] * len(baseline), half)
        moments = [Moments.of(association.scales, numbers(window)) for window in changed]
        together = np.array([association.compare(one, rate).drifted for one in moments])
        raised["correlation, half rate"], raised["psi and correlation"] = together, alone | together
        drifted |= {(shift, name): float(each.mean()) for name, each in raised.items()}
    return drifted


def count(bins, window):
    """A window's counts, a vector a feature."""
    return [one.count(window[one.name]) for one in bins]


def judges(baseline, rows):
    """By engine, the statistics and the thresholds of the features."""
    by_type = [{"numeric": 0, "categorical": 1}[one.bins.type] for one in baseline]
    found = {"psi, fixed 0.25": ([PSI] * len(baseline), [FIXED] * len(baseline))}
    for engine, names in ENGINES.items():
        statistics = [STATISTICS[names[place]] for place in by_type]
        found[engine] = (statistics, calibrated_thresholds(baseline, statistics, rows, RATE))
    return found


def numbers(window):
    return [window[name].cast(pl.Float64).to_numpy() for name in NUMERIC]


def alarms(baseline, columns, statistics, thresholds):
    """By window, whether any feature drifted."""
    features = zip(baseline, columns, statistics, thresholds, strict=True)
    drifted = [one.compute(then.counts, now) >= threshold for then, now, one, threshold in features]
    return np.any(drifted, axis=0)


def show(found, rows):
    engines = list(dict.fromkeys(one["engine"] for one in found))
    print(f"\n{rows:,} rows: share of windows with drift, %\n{'':24}" + "".join(f"{name[:22]:>24}" for name in engines))
    for shift in SHIFTS:
        values = {one["engine"]: one["drifted"] for one in found if one["rows"] == rows and one["shift"] == shift}
        print(f"{shift:24}" + "".join(f"{100 * values[name]:24.1f}" for name in engines))


if __name__ == "__main__":
    main()
