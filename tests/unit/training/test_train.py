"""Training leaves a model with its signature, the same every time, or a reason."""

import re
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest

from serving.core.predictor import Predictor
from tests.unit.training.conftest import DOCUMENT, JOB, Lineage, job_environment, run_job
from training.contract import METRIC_PATTERNS
from training.errors import JobError
from training.evaluate import score_frame
from training.frames import matrix
from training.train import parameters


def train_root(lineage: Lineage, root: Path) -> Path:
    (root / "input").mkdir()
    (root / "input" / "data").symlink_to(lineage.train / "input/data")
    return root


def test_the_model_folder_has_the_model_its_signature_and_nothing_else(lineage: Lineage) -> None:
    folder = lineage.train / "model"
    assert sorted(path.name for path in folder.iterdir()) == ["model.txt", "signature.json"]
    signature = Predictor.load(folder).signature
    assert signature.names == tuple(DOCUMENT["numeric"] + DOCUMENT["categorical"])
    assert signature.inputs[6].categories == ("EWR", "JFK", "LGA")
    assert (signature.model, signature.problem, signature.threshold) == ("flight-delay", "binary-classification", 0.5)


def test_the_job_prints_what_its_metric_patterns_read(lineage: Lineage) -> None:
    patterns = dict(METRIC_PATTERNS)
    for name in ("train:auc", "validation:auc"):
        (value,) = re.findall(patterns[name], lineage.printed)
        assert 0.5 < float(value) < 1


def test_the_same_data_gives_the_same_model_to_the_byte(lineage: Lineage, tmp_path: Path) -> None:
    assert run_job("train", train_root(lineage, tmp_path)).returncode == 0
    for name in ("model.txt", "signature.json"):
        assert (tmp_path / "model" / name).read_bytes() == (lineage.train / "model" / name).read_bytes()


def test_rows_are_coded_for_training_as_they_are_for_serving(lineage: Lineage) -> None:
    predictor = Predictor.load(lineage.train / "model")
    frame = pl.read_parquet(lineage.evaluate / "processing/input/test/data.parquet")
    odd = frame.head(4).with_columns(
        pl.Series("carrier", [None, "??", "a,b", 'quo"te']),
        pl.Series("temp", [None, float("nan"), float("inf"), 1e300]),
    )
    for rows in (frame, odd):
        assert score_frame(predictor, rows).tolist() == predictor.score(matrix(rows, predictor.signature)).tolist()


def test_early_stopping_uses_the_validation_split_when_asked_to(lineage: Lineage, tmp_path: Path) -> None:
    asked = {"hyperparameters": {"n_estimators": 300, "learning_rate": 0.5, "early_stopping_round": 3}}
    ended = run_job("train", train_root(lineage, tmp_path), DOCUMENT | asked)
    assert ended.returncode == 0
    assert (tmp_path / "model" / "model.txt").read_text().count("\nTree=") < 100


def test_a_regression_is_trained_without_a_threshold(lineage: Lineage, tmp_path: Path) -> None:
    changes = {
        "problem": "regression",
        "label": "distance",
        "numeric": ["departure_minute"],
        "gate": {"metric": "rmse", "maximum": 1000.0},
    }
    ended = run_job("train", train_root(lineage, tmp_path), DOCUMENT | changes)
    (rmse,) = re.findall(dict(METRIC_PATTERNS)["validation:rmse"], ended.stdout)
    assert 0 < float(rmse) < 1000
    assert Predictor.load(tmp_path / "model").signature.threshold is None


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({"num_leafs": 31}, "LightGBM has no hyperparameter num_leafs: did you mean"),
        ({"num_leaves": 31, "max_leaf": 15}, "num_leaves is given twice, once as max_leaf"),
        ({"objective": "poisson"}, "objective is not free"),
        ({"n_jobs": 8}, "n_jobs is not free"),
    ],
)
def test_a_hyperparameter_that_cannot_be_meant_is_refused(hyperparameters: dict[str, object], reason: str) -> None:
    with pytest.raises(JobError, match=reason):
        parameters(hyperparameters)


def test_aliases_become_lightgbms_own_names() -> None:
    assert parameters({"n_estimators": 5, "eta": 0.3}) == {"num_iterations": 5, "learning_rate": 0.3}


def test_a_value_that_lightgbm_refuses_is_a_failure_with_its_reason(lineage: Lineage, tmp_path: Path) -> None:
    ended = run_job("train", train_root(lineage, tmp_path), DOCUMENT | {"hyperparameters": {"learning_rate": -1}})
    assert ended.returncode == 1
    assert (tmp_path / "output/failure").read_text().startswith("LightGBM refuses: ")
    assert "Traceback" not in ended.stderr


def test_a_fault_of_ours_leaves_a_short_reason_and_a_traceback_in_the_log(lineage: Lineage, tmp_path: Path) -> None:
    root = train_root(lineage, tmp_path)
    (root / "model").write_text("a file where a folder should be")
    ended = run_job("train", root)
    assert ended.returncode == 1
    assert (root / "output/failure").read_text().startswith("internal error: FileExistsError")
    assert "Traceback" in ended.stderr


def test_a_killed_training_leaves_a_failure_file_and_no_model(lineage: Lineage, tmp_path: Path) -> None:
    endless = DOCUMENT | {"hyperparameters": {"num_iterations": 1_000_000, "learning_rate": 0.001}}
    environment = job_environment(train_root(lineage, tmp_path), endless)
    with subprocess.Popen([*JOB, "train"], env=environment, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        assert job.stdout.readline().startswith("training on ")
        time.sleep(0.2)
        job.send_signal(signal.SIGTERM)
        assert job.wait(20) == 1
    reason = (tmp_path / "output/failure").read_text()
    assert re.fullmatch(r"stopped by SIGTERM after \d+ of 1000000 iterations", reason)
    assert not list((tmp_path).glob("model/*"))


@pytest.mark.parametrize("arguments", [[], ["serve"], ["train", "now"]])
def test_a_wrong_call_says_how_to_call(arguments: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [*JOB, *arguments], env=job_environment(tmp_path, DOCUMENT), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (2, "usage: python -m training prepare|train|evaluate\n")


def test_a_spec_that_cannot_be_read_leaves_its_reason(tmp_path: Path) -> None:
    assert run_job("train", tmp_path, DOCUMENT | {"labl": "late"}).returncode == 1
    assert (tmp_path / "output/failure").read_text() == "unknown key labl: did you mean label?"
