"""Evaluation scores as the endpoint would, compares with the champion where it can, and decides at the gate."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from serving.core.signature import read_signature, write_signature
from tests.unit.training.conftest import DOCUMENT, Lineage, archive, run_job
from training.frames import matrix
from training.metrics import auc


@pytest.fixture
def root(lineage: Lineage, tmp_path: Path) -> Path:
    """An evaluation's ML root of its own."""
    shutil.copytree(lineage.evaluate / "processing/input", tmp_path / "processing/input")
    return tmp_path


def evaluation(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "processing/output/evaluation/evaluation.json").read_text())
    return document


def add_champion(root: Path, model: Path, **changes: Any) -> None:
    folder = root / "champion"
    shutil.copytree(model, folder)
    write_signature(replace(read_signature(folder), **changes), folder)
    archive(folder, root / "processing/input/champion")


def test_the_metrics_are_those_of_the_library_on_the_test_split(lineage: Lineage) -> None:
    document = evaluation(lineage.evaluate)
    test = pl.read_parquet(lineage.evaluate / "processing/input/test/data.parquet")
    booster = lightgbm.Booster(model_file=lineage.train / "model/model.txt")
    rows = matrix(test, read_signature(lineage.train / "model"))
    expected = auc(test["late"].to_numpy(), np.asarray(booster.predict(rows)))
    assert document["metrics"]["auc"] == pytest.approx(expected, abs=1e-12)
    assert document["test_rows"] == len(test)


def test_evaluation_json_has_what_the_registry_and_the_gate_read(lineage: Lineage) -> None:
    document = evaluation(lineage.evaluate)
    prepared = json.loads((lineage.evaluate / "processing/input/prepared/prepared.json").read_text())
    value = document["binary_classification_metrics"]["auc"]
    assert document["schema_version"] == 1
    assert value["value"] == document["metrics"]["auc"]
    assert 0 < value["standard_deviation"] < 0.1
    assert set(document["metrics"]) == {"auc", "log_loss", "accuracy"}
    assert document["champion_metrics"] is None
    assert document["trained_on"] == prepared["trained_on"]
    assert document["data_fingerprint"] == prepared["data_fingerprint"]
    assert document["gate"] == {"passed": True, "reason": f"auc {value['value']:.4f} >= minimum 0.5500"}


def test_a_model_that_fails_the_gate_is_a_job_that_succeeds(root: Path) -> None:
    assert run_job("evaluate", root, DOCUMENT | {"gate": {"metric": "auc", "minimum": 0.99}}).returncode == 0
    gate = evaluation(root)["gate"]
    assert gate["passed"] is False
    assert "< minimum 0.9900" in gate["reason"]


def test_a_champion_is_scored_on_the_same_rows(lineage: Lineage, root: Path) -> None:
    add_champion(root, lineage.train / "model")
    margin = DOCUMENT | {"gate": {"metric": "auc", "minimum": 0.5, "champion_margin": 0.01}}
    assert run_job("evaluate", root, margin).returncode == 0
    document = evaluation(root)
    assert document["champion_metrics"] == document["metrics"]
    assert document["gate"]["passed"] is False
    assert "does not beat the champion's" in document["gate"]["reason"]


def test_a_champion_finds_its_columns_by_name(lineage: Lineage, root: Path) -> None:
    add_champion(root, lineage.train / "model")
    other_order = DOCUMENT | {"numeric": DOCUMENT["numeric"][::-1]}
    assert run_job("evaluate", root, other_order).returncode == 0
    assert evaluation(root)["champion_metrics"] == evaluation(lineage.evaluate)["metrics"]


def test_a_champion_that_cannot_score_the_data_does_not_block(lineage: Lineage, root: Path) -> None:
    inputs = read_signature(lineage.train / "model").inputs
    add_champion(root, lineage.train / "model", inputs=(replace(inputs[0], name="gate_number"), *inputs[1:]))
    assert run_job("evaluate", root).returncode == 0
    document = evaluation(root)
    assert document["champion_metrics"] is None
    assert document["gate"]["passed"] is True
    assert document["gate"]["reason"].endswith(
        "; not compared with the champion, which cannot score this data: "
        "it needs the column gate_number, which the data lacks"
    )


def test_a_corrupt_champion_does_not_block_either(root: Path) -> None:
    (root / "processing/input/champion").mkdir()
    (root / "processing/input/champion/model.tar.gz").write_bytes(b"no archive")
    assert run_job("evaluate", root).returncode == 0
    assert "not compared with the champion" in evaluation(root)["gate"]["reason"]


def test_a_corrupt_candidate_fails_the_job_with_its_reason(root: Path) -> None:
    archive_file = root / "processing/input/model/model.tar.gz"
    archive_file.write_bytes(archive_file.read_bytes()[:1000])
    ended = run_job("evaluate", root)
    assert ended.returncode == 1
    reason = (root / "output/message").read_text()
    assert reason.startswith("the trained model cannot score the test split: model.tar.gz")
    assert "Traceback" not in ended.stderr


def test_a_test_split_of_one_label_has_no_auc(root: Path) -> None:
    file = root / "processing/input/test/data.parquet"
    pl.read_parquet(file).with_columns(late=pl.lit(0)).write_parquet(file)
    assert run_job("evaluate", root).returncode == 1
    assert "auc is undefined" in (root / "output/message").read_text()


def test_prepared_json_of_a_newer_version_is_refused(root: Path) -> None:
    file = root / "processing/input/prepared/prepared.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema_version": 2}))
    assert run_job("evaluate", root).returncode == 1
    assert "prepared.json has schema_version 2: this image reads 1" in (root / "output/message").read_text()
