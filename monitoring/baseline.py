"""The baseline job: what the training data, and the model's scores of it, look like, frozen (`baseline_document`)."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from monitoring.baseline_document import Baseline, numbers
from monitoring.bins import Bins, CategoricalBins, NumericBins
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_OUTPUT,
    CONSTRAINTS_FILE,
    DATA_INPUT,
    MODEL_INPUT,
    STATISTICS_FILE,
)
from monitoring.correlation import Association
from monitoring.errors import MonitoringError
from monitoring.job import Job
from monitoring.model_monitor import constraints, statistics
from monitoring.profile import Profile
from monitoring.spec import Spec
from serving.core.artifact import unpack
from serving.core.booster import Matrix
from serving.core.predictor import Predictor
from serving.core.signature import SCORE, Input, Signature

MODEL_ARCHIVE: Final = "model.tar.gz"


def compute_baseline(split: pl.DataFrame, predictor: Predictor, spec: Spec) -> Baseline:
    """Freeze the bins on the training split, and count it and the model's scores of it over them.

    Raises:
        MonitoringError: a feature of the model is not in the split.
    """
    signature = predictor.signature
    if missing := [name for name in signature.names if name not in split.columns]:
        raise MonitoringError(f"the training split lacks the model's input {', '.join(missing)}")
    scores = pl.Series(SCORE, predictor.score(_matrix(split, signature)))
    features = [_fit(one, split[one.name]) for one in signature.inputs]
    profile = Profile.of(features, NumericBins.fit(scores), split, scores)
    numeric = [one.name for one in signature.inputs if one.type == "numeric"]
    association = Association.fit(numeric, numbers(split, numeric))
    return Baseline(spec.model, spec.problem, signature.model_sha256, profile, association)


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
    baseline = compute_baseline(split, _predictor(job.folder(MODEL_INPUT)), spec)
    job.write_json(BASELINE_OUTPUT, BASELINE_FILE, baseline.to_json())
    job.write_json(
        BASELINE_OUTPUT, STATISTICS_FILE, statistics(split.select(baseline.schema.names()), baseline.profile)
    )
    job.write_json(
        BASELINE_OUTPUT, CONSTRAINTS_FILE, constraints(split.select(baseline.schema.names()), baseline.profile)
    )
    return f"baseline of {len(split)} rows, {len(baseline.bins)} features and the prediction"


def _predictor(folder: Path) -> Predictor:
    with tempfile.TemporaryDirectory() as unpacked:
        unpack(folder / MODEL_ARCHIVE, Path(unpacked))
        return Predictor.load(Path(unpacked))


def _fit(one: Input, values: pl.Series) -> Bins:
    return NumericBins.fit(values) if one.type == "numeric" else CategoricalBins.fit(values)


def _matrix(split: pl.DataFrame, signature: Signature) -> Matrix:
    """The split as the model's (rows, inputs) matrix; a category's code is its index, as `signature.json` says."""
    columns = [
        split[one.name].cast(pl.Float64) if one.type == "numeric" else _codes(split[one.name], one.categories)
        for one in signature.inputs
    ]
    return np.column_stack([column.to_numpy() for column in columns])


def _codes(values: pl.Series, categories: tuple[str, ...]) -> pl.Series:
    codes = [float(code) for code in range(len(categories))]
    return values.cast(pl.String).replace_strict(list(categories), codes, default=None, return_dtype=pl.Float64)
