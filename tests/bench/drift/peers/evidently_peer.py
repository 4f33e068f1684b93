"""evidently's data drift preset, one statistic for all columns of a kind."""

from drift_peer import measure
from evidently import Report
from evidently.presets import DataDriftPreset


def compute(reference, current, statistic):
    Report([DataDriftPreset(num_method=statistic, cat_method="psi")]).run(current, reference).dict()


measure("evidently", compute)
