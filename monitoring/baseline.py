"""The baseline: what the training data, and the model's scores of it, looked like; every window is held against it.

`baseline.json`, field by field:

- `schema_version`: 1. A reader refuses another.
- `model`, `problem`: as in the job spec.
- `model_sha256`: of the model file whose predictions these are.
- `rows`: rows of the training split.
- `features`: one object a feature, in the signature's order, which is the order of CSV columns without a header:
  `name`; `type`, `numeric` or `categorical`; for numeric ones `edges`, for categorical ones `categories` (each with a
  bin of its own, most frequent first) and `rare` (the others, which share one); `counts`, one a bin in the order that
  `monitoring.bins` gives them, the last being missing values; `total`, the sum of the known values (0 for categories).
- `prediction`: the same for the model's score, always numeric. The model has seen these rows, so it is a little surer
  of itself here than in traffic: a small PSI of the prediction is no news.
- `association`: how the numeric features go together (`monitoring.correlation.Association`); null with fewer than two
  of them, or very many. A baseline without it is read as one with null.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from monitoring.bins import Bins, CategoricalBins, Numbers, NumericBins, read_bins
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_OUTPUT,
    BASELINE_SCHEMA_VERSION,
    CONSTRAINTS_FILE,
    DATA_INPUT,
    MODEL_INPUT,
    STATISTICS_FILE,
)
from monitoring.correlation import Association
from monitoring.errors import MonitoringError
from monitoring.job import Job
from monitoring.model_monitor import constraints, statistics
from monitoring.moments import Moments
from monitoring.profile import Distribution, Profile
from monitoring.spec import Spec
from serving.core.artifact import unpack
from serving.core.booster import Matrix
from serving.core.predictor import Predictor
from serving.core.signature import SCORE, Input, Signature

MODEL_ARCHIVE: Final = "model.tar.gz"


@dataclass(frozen=True)
class Baseline:
    """What `baseline.json` holds."""

    model: str
    problem: str
    model_sha256: str
    profile: Profile
    association: Association | None = None

    @property
    def schema(self) -> pl.Schema:
        """The model's inputs as captured: Float64 for numeric ones, String for categorical ones."""
        return pl.Schema({each.bins.name: _dtype(each.bins.type) for each in self.profile.features})

    @property
    def bins(self) -> tuple[Bins, ...]:
        """Each feature's bins, in the signature's order."""
        return tuple(each.bins for each in self.profile.features)

    def moments(self, rows: pl.DataFrame) -> Moments | None:
        """How the rows' numeric features go together; None where the baseline does not know."""
        if self.association is None:
            return None
        return Moments.of(self.association.scales, _numbers(rows, self.association.scales.names))

    @property
    def no_moments(self) -> Moments | None:
        """Of no rows."""
        return None if self.association is None else Moments.empty(len(self.association.scales.names))

    def to_json(self) -> dict[str, Any]:
        """As `baseline.json` holds it."""
        return {
            "schema_version": BASELINE_SCHEMA_VERSION,
            "model": self.model,
            "problem": self.problem,
            "model_sha256": self.model_sha256,
            "rows": self.profile.rows,
            "features": [_to_json(each) for each in self.profile.features],
            "prediction": _to_json(self.profile.prediction),
            "association": self.association and self.association.to_json(),
        }


def read_baseline(path: Path) -> Baseline:
    """Read a baseline document.

    Raises:
        MonitoringError: there is none, it is of another version, or it is damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document["schema_version"]
        if version != BASELINE_SCHEMA_VERSION:
            raise MonitoringError(
                f"{path.name} has schema_version {version}: this image reads {BASELINE_SCHEMA_VERSION}"
            )
        features = tuple(_from_json(each) for each in document["features"])
        profile = Profile(features, _from_json(document["prediction"]))
        known = document.get("association")
        association = Association.from_json(known) if known else None
        return Baseline(document["model"], document["problem"], document["model_sha256"], profile, association)
    except FileNotFoundError:
        raise MonitoringError(
            f"there is no {path.name} in {path.parent}: the pipeline's ComputeBaseline writes it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise MonitoringError(f"{path.name} is damaged: {type(error).__name__}: {error}") from error


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
    association = Association.fit(numeric, _numbers(split, numeric))
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


def _numbers(rows: pl.DataFrame, names: Sequence[str]) -> list[Numbers]:
    return [rows[name].cast(pl.Float64).to_numpy() for name in names]


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


def _dtype(kind: str) -> type[pl.DataType]:
    return pl.Float64 if kind == "numeric" else pl.String


def _to_json(distribution: Distribution) -> dict[str, Any]:
    return {**distribution.bins.to_json(), "counts": distribution.counts.tolist(), "total": distribution.total}


def _from_json(document: dict[str, Any]) -> Distribution:
    bins = read_bins(document)
    counts = np.array(document["counts"], dtype=np.int64)
    if counts.shape != (len(bins.labels()),) or (counts < 0).any():
        raise MonitoringError(f"baseline: feature {bins.name} has {len(bins.labels())} bins and other counts than that")
    return Distribution(bins, counts, float(document["total"]))
