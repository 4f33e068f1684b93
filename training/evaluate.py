"""Evaluate: score the test split as the endpoint would, compare with the champion, and decide at the gate."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from serving.contract import CSV
from serving.core.artifact import unpack
from serving.core.errors import ArtifactError, InputError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from training.contract import (
    CHAMPION_INPUT,
    EVALUATION_FILE,
    EVALUATION_OUTPUT,
    EVALUATION_SCHEMA_VERSION,
    MODEL_ARCHIVE,
    MODEL_INPUT,
    PREPARED_FILE,
    PREPARED_INPUT,
    PREPARED_SCHEMA_VERSION,
    SPLIT_FILE,
    TEST_INPUT,
)
from training.errors import JobError
from training.folders import Folders
from training.frames import read, to_csv
from training.gate import Decision, decide
from training.metrics import Vector, functions, standard_deviation
from training.spec import TrainingSpec

ROWS_AT_ONCE: Final = 20_000
AWS_SECTIONS: Final = {
    "binary-classification": ("binary_classification_metrics", ("auc", "accuracy")),
    "regression": ("regression_metrics", ("rmse", "mae")),
}
"""The section that the model registry reads, and which of our metrics it knows."""


def run(spec: TrainingSpec, folders: Folders) -> None:
    """Write `evaluation.json`; a model that fails the gate is a job that succeeded.

    Raises:
        JobError: the candidate, the test split or `prepared.json` cannot be used.
    """
    prepared = _prepared(folders.processing(PREPARED_INPUT) / PREPARED_FILE)
    test = read(folders.processing(TEST_INPUT) / SPLIT_FILE, spec)
    labels = test[spec.label].to_numpy()
    try:
        scores = _score(folders.processing(MODEL_INPUT), test)
    except (ArtifactError, InputError, JobError) as error:
        raise JobError(f"the trained model cannot score the test split: {error}") from None
    champion, obstacle = _champion_metrics(spec, folders.processing(CHAMPION_INPUT), test, labels)
    metrics = _metrics(spec, labels, scores)
    decision = decide(spec.gate, metrics, champion)
    if obstacle:
        decision = Decision(decision.passed, f"{decision.reason}; {obstacle}")
    document = {
        "schema_version": EVALUATION_SCHEMA_VERSION,
        **_aws_section(spec, labels, scores),
        "metrics": metrics,
        "champion_metrics": champion,
        "test_rows": len(test),
        "trained_on": prepared["trained_on"],
        "data_fingerprint": prepared["data_fingerprint"],
        "gate": {"passed": decision.passed, "reason": decision.reason},
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    (folders.output(EVALUATION_OUTPUT) / EVALUATION_FILE).write_text(text + "\n", encoding="utf-8")
    print(f"gate {'passed' if decision.passed else 'failed'}: {decision.reason}")  # noqa: T201 - the job's log


def score_frame(predictor: Predictor, frame: pl.DataFrame) -> Vector:
    """Score a table's rows as requests: through CSV, the served parser and the served model.

    Raises:
        JobError: the table lacks one of the model's inputs.
    """
    names = predictor.signature.names
    if missing := [name for name in names if name not in frame.columns]:
        raise JobError(f"it needs the column {missing[0]}, which the data lacks")
    parser = RowParser(predictor.signature)
    parts = (to_csv(part, names) for part in frame.iter_slices(ROWS_AT_ONCE))
    return np.concatenate([predictor.score(parser.parse(part, CSV).matrix) for part in parts])


def _champion_metrics(
    spec: TrainingSpec, folder: Path, test: pl.DataFrame, labels: Vector
) -> tuple[dict[str, float] | None, str | None]:
    """The champion's metrics if there is one that can score this data, and what kept it from it otherwise."""
    if not (folder / MODEL_ARCHIVE).exists():
        return None, None
    try:
        return _metrics(spec, labels, _score(folder, test)), None
    except (ArtifactError, InputError, JobError) as error:
        return None, f"not compared with the champion, which cannot score this data: {error}"


def _score(folder: Path, test: pl.DataFrame) -> Vector:
    with tempfile.TemporaryDirectory() as unpacked:
        unpack(folder / MODEL_ARCHIVE, Path(unpacked))
        return score_frame(Predictor.load(Path(unpacked)), test)


def _metrics(spec: TrainingSpec, labels: Vector, scores: Vector) -> dict[str, float]:
    values = {name: metric(labels, scores) for name, metric in functions(spec.problem, spec.threshold).items()}
    for name, value in values.items():
        if not np.isfinite(value):
            raise JobError(f"the test split's {name} is undefined: it has {len(labels)} rows of one label")
    return values


def _aws_section(spec: TrainingSpec, labels: Vector, scores: Vector) -> dict[str, Any]:
    section, names = AWS_SECTIONS[spec.problem]
    known = functions(spec.problem, spec.threshold)
    return {
        section: {
            name: {
                "value": known[name](labels, scores),
                "standard_deviation": standard_deviation(known[name], labels, scores),
            }
            for name in names
        }
    }


def _prepared(file: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{file.name} cannot be read: {error}") from None
    if document.get("schema_version") != PREPARED_SCHEMA_VERSION:
        version = document.get("schema_version")
        raise JobError(f"{file.name} has schema_version {version}: this image reads {PREPARED_SCHEMA_VERSION}")
    return document
