"""whylogs: profile both sides, then its drift scores (Kolmogorov-Smirnov, and chi-square for categories)."""

import whylogs
from drift_peer import measure
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores


def compute(reference, current, _):
    now, then = (whylogs.log(pandas=side).profile().view() for side in (current, reference))
    calculate_drift_scores(target_view=now, reference_view=then, with_thresholds=True)


measure("whylogs", compute)
