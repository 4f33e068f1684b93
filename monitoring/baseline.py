"""The baseline job: what the training data, and the model's scores of it, look like, frozen (`baseline_document`)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from monitoring.baseline_document import Baseline
from monitoring.bins import Bins, CategoricalBins, NumericBins
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_OUTPUT,
    CONSTRAINTS_FILE,
    DATA_INPUT,
    MODEL_INPUT,
    STATISTICS_FILE,
)
from monitoring.correlation import Association, numbers
from monitoring.errors import MonitoringError
from monitoring.explanations.attribution import Attribution
from monitoring.explanations.explained import attribution
from monitoring.fairness.decisions import DecidedGroups
from monitoring.job import Job
from monitoring.model_monitor import constraints, statistics
from monitoring.profile import Profile
from monitoring.sample import Sample
from monitoring.scoring import load_predictor, matrix
from monitoring.spec import Spec
from serving.core.booster import Matrix
from serving.core.predictor import Predictor
from serving.core.signature import SCORE, Input

SEED: Final = 20130101


def compute_baseline(split: pl.DataFrame, predictor: Predictor, spec: Spec) -> Baseline:
    """Freeze the bins on the training split, and count it and the model's scores of it over them.

    Raises:
        MonitoringError: a feature of the model is not in the split.
    """
    signature = predictor.signature
    if missing := [name for name in signature.names if name not in split.columns]:
        raise MonitoringError(f"the training split lacks the model's input {', '.join(missing)}")
    inputs = matrix(split, signature)
    scores = pl.Series(SCORE, predictor.score(inputs))
    features = [_fit(one, split[one.name]) for one in signature.inputs]
    profile = Profile.of(features, NumericBins.fit(scores), split, scores)
    numeric = [one.name for one in signature.inputs if one.type == "numeric"]
    association = Association.fit(numeric, numbers(split, numeric))
    return Baseline(
        spec.model,
        spec.problem,
        signature.model_sha256,
        profile,
        association=association,
        sample=Sample.of(features, split, association),
        decided=_decided(features, split, scores, spec=spec, threshold=signature.threshold),
        explained=_explained(predictor, inputs, spec.explained_rows),
    )


def run(job: Job) -> str:
    """Write `baseline.json`, `statistics.json` and `constraints.json` for a training split and its model.

    Raises:
        MonitoringError: no split, or none that fits the model.
        ArtifactError: no model that can be loaded.
    """
    spec = Spec.from_environment(job.environment)
    files = sorted(job.folder(DATA_INPUT).glob("*.parquet"))
    if not files:
        raise MonitoringError(f"no Parquet file in {job.folder(DATA_INPUT)}: the training split belongs there")
    split = pl.read_parquet(files)
    if split.is_empty():
        raise MonitoringError("the training split has no rows to make a baseline of")
    baseline = compute_baseline(split, load_predictor(job.folder(MODEL_INPUT)), spec)
    job.write_json(BASELINE_OUTPUT, BASELINE_FILE, baseline.to_json())
    job.write_json(
        BASELINE_OUTPUT, STATISTICS_FILE, statistics(split.select(baseline.schema.names()), baseline.profile)
    )
    job.write_json(
        BASELINE_OUTPUT, CONSTRAINTS_FILE, constraints(split.select(baseline.schema.names()), baseline.profile)
    )
    return f"baseline of {len(split)} rows, {len(baseline.bins)} features and the prediction"


def _fit(one: Input, values: pl.Series) -> Bins:
    return NumericBins.fit(values) if one.type == "numeric" else CategoricalBins.fit(values)


def _decided(
    features: Sequence[Bins], split: pl.DataFrame, scores: pl.Series, *, spec: Spec, threshold: float | None
) -> DecidedGroups | None:
    """The training rows by group, label and answer; only where an answer is 0 or 1, and the split has labels."""
    if threshold is None or spec.label not in split.columns:
        return None
    columns = [each for each in features if isinstance(each, CategoricalBins)]
    places = [each.places(split[each.name]) for each in columns]
    labels = split[spec.label].cast(pl.Float64).to_numpy()
    return DecidedGroups.fit(threshold, columns, places, labels=labels, scores=scores.to_numpy())


def _explained(predictor: Predictor, inputs: Matrix, most: int) -> Attribution | None:
    """Of a sample of the training rows, as large as a window's will be."""
    chosen = np.random.default_rng(SEED).choice(len(inputs), min(most, len(inputs)), replace=False)
    return attribution(predictor, inputs[chosen])
