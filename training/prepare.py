"""Prepare: labelled partitions to a train, a validation and a test split by time, so that the test is the newest."""

import hashlib
import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, cast

import polars as pl

from training.contract import (
    DATA_INPUT,
    PREPARED_FILE,
    PREPARED_OUTPUT,
    PREPARED_SCHEMA_VERSION,
    SPLIT_FILE,
    TEST_OUTPUT,
    TRAIN_OUTPUT,
    VALIDATION_OUTPUT,
)
from training.errors import JobError
from training.folders import Folders
from training.frames import partitions, read
from training.spec import TrainingSpec

OUTPUTS = {"train": TRAIN_OUTPUT, "validation": VALIDATION_OUTPUT, "test": TEST_OUTPUT}

PROPERTY_CHARACTERS: Final = 256


def run(spec: TrainingSpec, folders: Folders) -> None:
    """Write the three splits and `prepared.json`.

    Raises:
        JobError: data that cannot be used, or a split that would be empty or of one label.
    """
    files = partitions(folders.processing(DATA_INPUT))
    frame = pl.concat([read(file, spec) for file in files]).sort(spec.time, maintain_order=True)
    splits = split(frame, spec)
    for name, part in splits.items():
        part.write_parquet(folders.output(OUTPUTS[name]) / SPLIT_FILE)
        print(f"{name}: {len(part)} rows")  # noqa: T201 - the job's log
    document = _document(files, frame[spec.time], splits)
    (folders.output(PREPARED_OUTPUT) / PREPARED_FILE).write_text(
        json.dumps(document, indent=1) + "\n", encoding="utf-8"
    )


def split(frame: pl.DataFrame, spec: TrainingSpec) -> dict[str, pl.DataFrame]:
    """Whole days (UTC): the newest `test_days` are the test, the `validation_days` before them the validation.

    Raises:
        JobError: a split is empty, or a classification's split has only one label.
    """
    if frame.is_empty():
        raise JobError("the data has no rows")
    last = cast("datetime", frame[spec.time].max()).date()
    test = datetime.combine(last + timedelta(days=1 - spec.test_days), time(), UTC)
    validation = test - timedelta(days=spec.validation_days)
    moment = pl.col(spec.time)
    splits = {
        "train": frame.filter(moment < validation),
        "validation": frame.filter((moment >= validation) & (moment < test)),
        "test": frame.filter(moment >= test),
    }
    for name, part in splits.items():
        _check(name, part, spec, validation if name == "train" else test)
    return splits


def _check(name: str, part: pl.DataFrame, spec: TrainingSpec, boundary: datetime) -> None:
    if part.is_empty():
        raise JobError(
            f"the {name} split is empty: the newest {spec.test_days} days are the test, the {spec.validation_days} "
            f"days before them the validation; there is no row {'before' if name == 'train' else 'in the days up to'} "
            f"{boundary:%Y-%m-%d}"
        )
    if spec.problem == "binary-classification" and part[spec.label].n_unique() == 1:
        raise JobError(f"the {name} split has {len(part)} rows and all have the label {part[spec.label][0]:g}")


def _document(files: list[Path], moments: pl.Series, splits: dict[str, pl.DataFrame]) -> dict[str, Any]:
    names = [file.stem for file in files]
    first, last = cast("datetime", moments.min()), cast("datetime", moments.max())
    return {
        "schema_version": PREPARED_SCHEMA_VERSION,
        "partitions": names,
        "trained_on": trained_on(names),
        "data_fingerprint": fingerprint(files),
        "rows": {name: len(part) for name, part in splits.items()},
        "time": {"first": f"{first:%Y-%m-%dT%H:%M:%SZ}", "last": f"{last:%Y-%m-%dT%H:%M:%SZ}"},
    }


def trained_on(names: list[str]) -> str:
    """The partitions in one line that a model package's property can hold: no comma, at most 256 characters."""
    line = " ".join(names)
    return line if len(line) <= PROPERTY_CHARACTERS else f"{names[0]}..{names[-1]}"


def fingerprint(files: list[Path]) -> str:
    """One digest of the partitions' names and contents: other data, another fingerprint."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()}"
