"""The baseline: what the training data, and the model's scores of it, looked like; every window is held against it.

`baseline.json`, field by field:

- `schema_version`: 1. A reader refuses another.
- `model`, `problem`: as in the job spec.
- `model_sha256`: of the model file whose predictions these are.
- `rows`: rows of the training split.
- `features`: one object a feature, in the signature's order, which is the order of CSV columns without a header:
  `name`; `type`, `numeric` or `categorical`; for numeric ones `edges`; for categorical ones `categories` (each with a
  bin of its own, most frequent first), `rare` (the others, which share one) and `once` (how many have a single row);
  `counts`, one a bin in the order that `monitoring.bins` gives them, the last being missing values; `total`, the sum of
  the known values (0 for categories).
- `prediction`: the same for the model's score, always numeric. The model has seen these rows, so it is a little surer
  of itself here than in traffic: a small PSI of the prediction is no news.
- `decided`: of a binary classifier, the rows of each category by label and answer
  (`monitoring.fairness.decisions.DecidedGroups`); null for others.
- `explained`: how far each input moves the score (`monitoring.explanations.explained.Attribution`); null where that was
  not asked for. A baseline without these two is read as one with nulls.
- `association`: how the numeric features go together (`monitoring.correlation.Association`); null with fewer than two
  of them, or very many. A baseline without it is read as one with null.
- `sample`: the bins, and the scores that correlations are taken of, of 2,000 rows (`monitoring.sample.Sample`): how
  features move together by chance. Of each value no more than its bin and its distance from the mean in 32nds of a
  standard deviation. A baseline without it is read as one with null.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from monitoring.bins import Bins, CategoricalBins, Numbers, Places, read_bins
from monitoring.contract import BASELINE_SCHEMA_VERSION
from monitoring.correlation import Association
from monitoring.errors import MonitoringError
from monitoring.explanations.attribution import Attribution
from monitoring.fairness.decisions import DecidedGroups, Decisions
from monitoring.moments import Moments
from monitoring.profile import Distribution, Profile
from monitoring.sample import Sample


@dataclass(frozen=True)
class Baseline:
    """What `baseline.json` holds."""

    model: str
    problem: str
    model_sha256: str
    profile: Profile
    association: Association | None = None
    decided: DecidedGroups | None = None
    explained: Attribution | None = None
    sample: Sample | None = None

    @property
    def schema(self) -> pl.Schema:
        """The model's inputs as captured: Float64 for numeric ones, String for categorical ones."""
        return pl.Schema({each.bins.name: _dtype(each.bins.type) for each in self.profile.features})

    @property
    def bins(self) -> tuple[Bins, ...]:
        """Each feature's bins, in the signature's order."""
        return tuple(each.bins for each in self.profile.features)

    def decisions(self, rows: pl.DataFrame, scores: pl.Series) -> Decisions | None:
        """The rows' answers by group; None where the baseline does not know, or no column is declared."""
        if self.decided is None:
            return None
        places = {each.name: each.places(rows[each.name]) for each in self.decided.columns}
        return self.decided.count(places, scores.cast(pl.Float64).to_numpy())

    def scanned_decisions(self, places: Iterable[Places], scores: Numbers) -> Decisions | None:
        """The same of columns as `monitoring.scanner.Scanned` has them."""
        if self.decided is None:
            return None
        names = (each.name for each in self.bins if isinstance(each, CategoricalBins))
        return self.decided.count(dict(zip(names, places, strict=True)), scores)

    @property
    def no_decisions(self) -> Decisions | None:
        """Of no rows."""
        return None if self.decided is None else self.decided.nobody

    def moments(self, rows: pl.DataFrame) -> Moments | None:
        """How the rows' numeric features go together; None where the baseline does not know."""
        if self.association is None:
            return None
        return Moments.of(self.association.scales, self.association.columns(rows))

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
            "decided": self.decided and self.decided.to_json(),
            "explained": self.explained and self.explained.to_json(self.schema.names()),
            "association": self.association and self.association.to_json(),
            "sample": self.sample and self.sample.to_json(),
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
        of = (document["model"], document["problem"], document["model_sha256"])
        return Baseline(*of, profile, **_optional(document, [each.bins for each in features]))
    except FileNotFoundError:
        raise MonitoringError(
            f"there is no {path.name} in {path.parent}: the pipeline's ComputeBaseline writes it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise MonitoringError(f"{path.name} is damaged: {type(error).__name__}: {error}") from error


def _optional(document: dict[str, Any], bins: Sequence[Bins]) -> dict[str, Any]:
    keys = ("association", "sample", "decided", "explained")
    association, sample, decided, explained = (document.get(key) for key in keys)
    categorical = [each for each in bins if isinstance(each, CategoricalBins)]
    return {
        "association": association and Association.from_json(association),
        "sample": sample and Sample.from_json(sample, bins),
        "decided": decided and DecidedGroups.from_json(decided, categorical),
        "explained": explained and Attribution.from_json(explained, [each.name for each in bins]),
    }


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
