"""A small sample of real flights in an ML root, and training jobs as processes of their own."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from infra.demo import flights
from serving.contract import ML_ROOT_VARIABLE, split_variable
from training.contract import MODEL_ARCHIVE, SPEC_VARIABLE
from training.folders import Folders
from training.spec import TrainingSpec

PROJECT = Path(__file__).resolve().parents[3]
JOB = (sys.executable, "-m", "training")
DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "model": "flight-delay",
    "problem": "binary-classification",
    "label": "late",
    "time": "scheduled_at",
    "numeric": ["departure_minute", "distance", "temp", "wind_dir", "precip"],
    "categorical": ["carrier", "origin", "dest"],
    "hyperparameters": {"num_iterations": 20, "num_leaves": 15},
    "validation_days": 7,
    "test_days": 7,
    "gate": {"metric": "auc", "minimum": 0.55, "champion_margin": 0.0},
    "threshold": 0.5,
}
COLUMNS = [*DOCUMENT["numeric"], *DOCUMENT["categorical"], "late", "scheduled_at"]


@pytest.fixture
def spec() -> TrainingSpec:
    return TrainingSpec.parse(DOCUMENT)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


@pytest.fixture(scope="session")
def sample() -> dict[str, pl.DataFrame]:
    """One flight in seven of the first three months, by partition."""
    months = {flights.partition(number): flights.month(number) for number in (1, 2, 3)}
    return {name: month.gather_every(7).select(COLUMNS) for name, month in months.items()}


def write_partitions(folder: Path, partitions: dict[str, pl.DataFrame]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in partitions.items():
        frame.write_parquet(folder / f"{name}.parquet")


def job_environment(root: Path, document: dict[str, Any]) -> dict[str, str]:
    variables = split_variable(SPEC_VARIABLE, json.dumps(document))
    return {**os.environ, **variables, ML_ROOT_VARIABLE: str(root), "PYTHONPATH": str(PROJECT)}


def run_job(command: str, root: Path, document: dict[str, Any] = DOCUMENT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JOB, command], env=job_environment(root, document), capture_output=True, text=True, check=False
    )


def archive(model: Path, folder: Path) -> None:
    """What SageMaker does with a model folder."""
    folder.mkdir(parents=True)
    with tarfile.open(folder / MODEL_ARCHIVE, "w:gz") as file:
        file.add(model, arcname=".")


@dataclass(frozen=True)
class Lineage:
    """The ML roots of the jobs of one run, as the pipeline connects them."""

    prepare: Path
    train: Path
    evaluate: Path
    printed: str
    """What the training job wrote to standard output."""


@pytest.fixture(scope="session")
def lineage(sample: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Lineage:
    root = tmp_path_factory.mktemp("lineage")
    prepare, train, evaluate = root / "prepare", root / "train", root / "evaluate"
    write_partitions(prepare / "processing/input/data", sample)
    assert run_job("prepare", prepare).returncode == 0
    outputs = prepare / "processing/output"
    for split in ("train", "validation"):
        shutil.copytree(outputs / split, train / "input/data" / split)
    trained = run_job("train", train)
    assert trained.returncode == 0, trained.stderr
    for name in ("test", "prepared"):
        shutil.copytree(outputs / name, evaluate / "processing/input" / name)
    archive(train / "model", evaluate / "processing/input/model")
    assert run_job("evaluate", evaluate).returncode == 0
    return Lineage(prepare, train, evaluate, trained.stdout)
