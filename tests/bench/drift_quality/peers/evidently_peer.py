"""evidently's data drift preset with its defaults: any column of it, and its verdict on the whole data set.

The preset spends its time on pictures, so the tests that it chooses are called as it calls them; what they say is
compared with the preset itself on the first window.
"""

from evidently import Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset
from quality_peer import categories, judge

DRIFT_SHARE = 0.5
"""Of the preset: so many columns must have drifted for the data set to have."""


def fit(reference, _):
    kinds = dict.fromkeys(reference.columns, ColumnType.Numerical)
    kinds |= dict.fromkeys(categories(reference), ColumnType.Categorical)
    checked = []

    def verdict(window):
        results = {name: test(reference[name].dropna(), window[name].dropna(), kind) for name, kind in kinds.items()}
        if not checked:
            check(reference, window, results)
            checked.append(window)
        drifted = sum(result.drifted for result in results.values())
        return {
            "evidently, any column": max(ratio(result) for result in results.values()),
            "evidently, data set": drifted / len(results) / DRIFT_SHARE,
        }

    return verdict


def test(then, now, kind):
    return get_stattest(then, now, kind, None)(then, now, kind, None)


def ratio(result):
    """Distances, which all its defaults are for a reference of more than a thousand rows; equal shares give 0."""
    return result.drift_score / result.actual_threshold


def check(reference, window, results):
    said = Report([DataDriftPreset()]).run(window, reference).dict()["metrics"]
    values = {each["config"]["column"]: each["value"] for each in said if "column" in each["config"]}
    for name, result in results.items():
        if abs(values[name] - result.drift_score) > 1e-9:
            raise ValueError(f"the preset says {values[name]} of {name}, its test {result.drift_score}")


judge("evidently", fit)
