"""SageMaker Model Monitor's own files, for the tools people have for them: statistics, constraints, violations.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-statistics.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from monitoring.bins import CategoricalBins
from monitoring.profile import Distribution, Profile

COMPARISON_THRESHOLD: Final = 0.1
"""Model Monitor's own default, for its own distance; ours is in the job spec."""


def statistics(split: pl.DataFrame, profile: Profile) -> dict[str, Any]:
    """`statistics.json` of the training split: columns as in `profile`."""
    features = [_feature_statistics(split[each.bins.name], each) for each in profile.features]
    return {"version": 0, "dataset": {"item_count": len(split)}, "features": features}


def constraints(split: pl.DataFrame, profile: Profile) -> dict[str, Any]:
    """`constraints.json`: what the training split's columns have in common."""
    return {
        "version": 0,
        "features": [_feature_constraints(split[each.bins.name], each) for each in profile.features],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": COMPARISON_THRESHOLD,
                "comparison_method": "Robust",
            },
        },
    }


def violation(feature: str, check: str, description: str) -> dict[str, str]:
    """One entry of `constraint_violations.json`; `check` is one of Model Monitor's `constraint_check_type`s."""
    return {"feature_name": feature, "constraint_check_type": check, "description": description}


def _inferred_type(values: pl.Series, distribution: Distribution) -> str:
    if distribution.missing == distribution.rows:
        return "Unknown"
    if distribution.bins.type == "categorical":
        return "String"
    known = _known(values)
    return "Integral" if bool((known == np.trunc(known)).all()) else "Fractional"


def _feature_statistics(values: pl.Series, distribution: Distribution) -> dict[str, Any]:
    common = {"num_present": distribution.rows - distribution.missing, "num_missing": distribution.missing}
    head = {"name": distribution.bins.name, "inferred_type": _inferred_type(values, distribution)}
    if isinstance(distribution.bins, CategoricalBins):
        return {**head, "string_statistics": {"common": common, **_categories(values)}}
    return {
        **head,
        "numerical_statistics": {"common": common, **_moments(_known(values)), **_histogram(values, distribution)},
    }


def _categories(values: pl.Series) -> dict[str, Any]:
    counted = (
        values.cast(pl.String)
        .drop_nulls()
        .alias("value")
        .value_counts()
        .sort("count", "value", descending=[True, False])
    )
    buckets = counted.filter(pl.col("value") != "").to_dicts()
    return {"distinct_count": len(buckets), "distribution": {"categorical": {"buckets": buckets}}}


def _moments(known: npt.NDArray[np.float64]) -> dict[str, float]:
    if not known.size:
        return {}
    with np.errstate(over="ignore", invalid="ignore"):
        of = {"mean": known.mean(), "sum": known.sum(), "std_dev": known.std(), "min": known.min(), "max": known.max()}
    # The moments of numbers near the largest there are overflow, and JSON has no infinity: they are left out.
    return {name: float(value) for name, value in of.items() if np.isfinite(value)}


def _histogram(values: pl.Series, distribution: Distribution) -> dict[str, Any]:
    """Buckets between the frozen edges; the sketch itself is Model Monitor's internal and is left empty."""
    known = _known(values)
    if not known.size:
        return {}
    edges = [
        float(known.min()),
        *(edge for edge in distribution.bins.to_json()["edges"] if known.min() < edge < known.max()),
    ]
    bounds = [*edges, float(known.max())]
    at_most = [int(np.count_nonzero(known <= bound)) for bound in bounds[1:]]
    buckets = [
        {"lower_bound": low, "upper_bound": high, "count": count}
        for (low, high), count in zip(pairwise(bounds), np.diff([0, *at_most]).tolist(), strict=True)
    ]
    return {
        "distribution": {"kll": {"buckets": buckets, "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": []}}}
    }


def _feature_constraints(values: pl.Series, distribution: Distribution) -> dict[str, Any]:
    bins = distribution.bins
    head = {
        "name": bins.name,
        "inferred_type": _inferred_type(values, distribution),
        "completeness": 1.0 - distribution.missing_rate,
    }
    if isinstance(bins, CategoricalBins):
        return {**head, "string_constraints": {"domains": [*bins.categories, *bins.rare]}}
    known = _known(values)
    return {**head, "num_constraints": {"is_non_negative": bool((known >= 0).all())}}


def _known(values: pl.Series) -> npt.NDArray[np.float64]:
    numbers: npt.NDArray[np.float64] = values.cast(pl.Float64).to_numpy()
    return numbers[np.isfinite(numbers)]
