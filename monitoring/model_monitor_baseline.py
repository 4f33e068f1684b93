"""A baseline that Model Monitor made: its `statistics.json` and `constraints.json`, read as one of ours.

What they can give: each feature's distribution over Model Monitor's own buckets, its missing values, the categories
that are allowed. What they cannot: the predictions, how features go together, the model they belong to, and the order
of a signature; so those are not compared, and CSV columns are taken to be in the order that `training` gives them,
numeric ones first.
Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from monitoring.baseline_document import Baseline
from monitoring.bins import CATEGORY_BINS, CategoricalBins, NumericBins
from monitoring.contract import CONSTRAINTS_FILE, STATISTICS_FILE
from monitoring.errors import MonitoringError
from monitoring.profile import Distribution, Profile
from monitoring.spec import Spec
from serving.core.signature import SCORE

VERSION: Final = 0.0


def read_model_monitor(folder: Path, spec: Spec) -> Baseline:
    """Read `statistics.json`, and `constraints.json` if it is there, for the features that `spec` names.

    Raises:
        MonitoringError: a file is damaged or of another version, lacks a feature, or has one of another type.
    """
    try:
        given = {each["name"]: each for each in _features(folder / STATISTICS_FILE)}
        domains = {each["name"]: _domain(each) for each in _features(folder / CONSTRAINTS_FILE, optional=True)}
        if missing := [name for name in (*spec.numeric, *spec.categorical) if name not in given]:
            raise MonitoringError(f"{STATISTICS_FILE} lacks the feature {', '.join(missing)}")
        features = [_numeric(given[name]) for name in spec.numeric]
        features += [_categorical(given[name], domains.get(name, ())) for name in spec.categorical]
        nothing = Distribution(NumericBins(SCORE, ()), np.zeros(2, dtype=np.int64))
        return Baseline(spec.model, spec.problem, "", Profile(tuple(features), nothing))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MonitoringError(
            f"{STATISTICS_FILE} or {CONSTRAINTS_FILE} is not Model Monitor's: {type(error).__name__}: {error}"
        ) from error


def _features(path: Path, *, optional: bool = False) -> Sequence[dict[str, Any]]:
    if optional and not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["version"] != VERSION:
        raise MonitoringError(f"{path.name} has version {document['version']}: this image reads {VERSION:g}")
    features: Sequence[dict[str, Any]] = document["features"]
    return features


def _domain(constraints: dict[str, Any]) -> Sequence[str]:
    domains: Sequence[str] = constraints.get("string_constraints", {}).get("domains", ())
    return domains


def _numeric(feature: dict[str, Any]) -> Distribution:
    """Bins at the buckets' bounds, and two empty ones beyond the smallest and largest value."""
    found = _statistics(feature, "numerical")
    missing = int(found["common"]["num_missing"])
    buckets = found.get("distribution", {}).get("kll", {}).get("buckets", [])
    counts = [int(bucket["count"]) for bucket in buckets if bucket["lower_bound"] < bucket["upper_bound"]]
    if sum(counts) != int(found["common"]["num_present"]):
        # A constant has one bucket without a width, or none.
        return _constant(feature["name"], found, missing)
    lower = [float(bucket["lower_bound"]) for bucket in buckets if bucket["lower_bound"] < bucket["upper_bound"]]
    # Their buckets hold their lower bound, ours the upper one; the last of theirs holds both.
    edges = (*(float(np.nextafter(low, -np.inf)) for low in lower), float(buckets[-1]["upper_bound"]))
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"the buckets of {feature['name']} do not rise")
    return Distribution(NumericBins(feature["name"], edges), np.array([0, *counts, 0, missing]), float(found["sum"]))


def _constant(name: str, found: dict[str, Any], missing: int) -> Distribution:
    present = int(found["common"]["num_present"])
    if not present:
        return Distribution(NumericBins(name, ()), np.array([0, missing]))
    if found["min"] != found["max"]:
        raise ValueError(f"the buckets of {name} do not hold its {present} values")
    value = float(found["min"])
    edges = (float(np.nextafter(value, -np.inf)), value)
    return Distribution(NumericBins(name, edges), np.array([0, present, 0, missing]), value * present)


def _categorical(feature: dict[str, Any], domain: Sequence[str]) -> Distribution:
    """Bins of the most frequent categories; what has no count of its own is rare."""
    name, found = feature["name"], _statistics(feature, "string")
    common = found["common"]
    buckets = found.get("distribution", {}).get("categorical", {}).get("buckets", [])
    ordered = sorted(((int(each["count"]), str(each["value"])) for each in buckets), key=lambda one: (-one[0], one[1]))
    own, others = ordered[:CATEGORY_BINS], ordered[CATEGORY_BINS:]
    rest = int(common["num_present"]) - sum(count for count, _ in own)
    named = [category for _, category in ordered]
    rare = (*(category for _, category in others), *(category for category in domain if category not in named))
    if rest < 0 or (rest and not rare):
        raise ValueError(f"the categories of {name} are not all named, so that others could not be told from new ones")
    counts = np.array([*(count for count, _ in own), rest, 0, int(common["num_missing"])])
    return Distribution(CategoricalBins(name, tuple(category for _, category in own), rare), counts)


def _statistics(feature: dict[str, Any], kind: str) -> dict[str, Any]:
    if f"{kind}_statistics" not in feature:
        raise MonitoringError(
            f"{STATISTICS_FILE}: {feature['name']} is {feature['inferred_type']}, the model's input of another type: "
            f"no {kind}_statistics"
        )
    statistics: dict[str, Any] = feature[f"{kind}_statistics"]
    return statistics
