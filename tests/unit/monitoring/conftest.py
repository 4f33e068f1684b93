"""A small real model and its baseline on real flights; a spec as the infrastructure writes it."""

import io
import json
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import lightgbm
import polars as pl
import pytest
from hypothesis import settings
from moto import mock_aws

import monitoring
from infra.demo import flights
from monitoring.__main__ import main
from monitoring.baseline import compute_baseline
from monitoring.baseline_document import Baseline
from monitoring.contract import BASELINE_FILE, BASELINE_INPUT, DRIFT_REPORT_FILE, REPORT_OUTPUT, VIOLATIONS_FILE
from monitoring.job import Job
from monitoring.spec import Spec
from serving.contract import ML_ROOT_VARIABLE, MODEL_FILE, SIGNATURE_FILE, split_variable
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature, sha256, write_signature

# A busy machine is no failure.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

NUMERIC = ("departure_minute", "arrival_minute", "day_of_week", "distance", *flights.WEATHER)
CATEGORICAL = ("carrier", "origin", "dest")
SPEC: dict[str, Any] = {
    "schema_version": 1,
    "model": "flight-delay",
    "problem": "binary-classification",
    "label": "late",
    "time": "scheduled_at",
    "numeric": list(NUMERIC),
    "categorical": list(CATEGORICAL),
}
DRIFT_SPEC = SPEC | {
    "endpoint": "sagestack-test-flight-delay",
    "variant": "main",
    "capture_uri": "s3://capture/flight-delay",
    "schedule": "monthly",
    "psi_threshold": 0.25,
    "minimum_rows": 500,
}


@pytest.fixture(scope="session")
def scan_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled reader of capture records, as the image has it."""
    path = tmp_path_factory.mktemp("library") / "scan.so"
    source = Path(monitoring.__path__[0]) / "native" / "scan.c"
    options = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *options, "-o", path, source, "-lm"], check=True)
    return path


@pytest.fixture(scope="session")
def winter() -> pl.DataFrame:
    return pl.concat([flights.month(number) for number in (1, 2, 3)])


@pytest.fixture(scope="session")
def model_archive(winter: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model.tar.gz` of a small LightGBM model of winter flights."""
    folder = tmp_path_factory.mktemp("model")
    inputs = [Input(name, "numeric") for name in NUMERIC]
    inputs += [Input(name, "categorical", tuple(winter[name].unique().sort())) for name in CATEGORICAL]
    columns = [winter[name].cast(pl.Float64) for name in NUMERIC]
    columns += [winter[name].cast(pl.Enum(winter[name].unique().sort())).to_physical() for name in CATEGORICAL]
    data = lightgbm.Dataset(
        pl.DataFrame(columns).to_numpy(),
        winter["late"].to_numpy(),
        categorical_feature=[12, 13, 14],
        params={"verbose": -1},
    )
    booster = lightgbm.train({"objective": "binary", "num_leaves": 15, "verbose": -1, "num_threads": 1}, data, 20)
    content = booster.model_to_string().encode()
    (folder / MODEL_FILE).write_bytes(content)
    signature = Signature(
        "flight-delay", "binary-classification", "4.7.0", MODEL_FILE, sha256(content), tuple(inputs), 0.5
    )
    write_signature(signature, folder)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / MODEL_FILE, MODEL_FILE)
        archive.add(folder / SIGNATURE_FILE, SIGNATURE_FILE)
    return folder / "model.tar.gz"


@pytest.fixture(scope="session")
def predictor(model_archive: Path) -> Predictor:
    return Predictor.load(model_archive.parent)


@pytest.fixture(scope="session")
def baseline(winter: pl.DataFrame, predictor: Predictor) -> Baseline:
    return compute_baseline(winter, predictor, Spec.from_json(json.dumps(SPEC)))


@pytest.fixture
def capture_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in this process, with a bucket of captured traffic."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="capture")
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the drift job finds its baseline."""
    folder = tmp_path / "processing" / BASELINE_INPUT
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def drift(tmp_path: Path, folder: Path, baseline: Baseline, capture_bucket: None) -> Callable[..., tuple[Any, ...]]:
    """Runs the job for a window of what is captured; returns its exit code, report and violations."""
    del capture_bucket
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))

    def run(end: str, **change: Any) -> tuple[Any, ...]:
        code = main(["drift"], job(tmp_path, DRIFT_SPEC | change, SAGESTACK_WINDOW_END=end))
        output = tmp_path / "processing" / REPORT_OUTPUT
        return code, *(json.loads((output / name).read_text()) for name in (DRIFT_REPORT_FILE, VIOLATIONS_FILE))

    return run


def job(root: Path, spec: dict[str, Any], **environment: str) -> Job:
    """A job with `spec` in its environment, its ML root at `root`."""
    return Job(
        {ML_ROOT_VARIABLE: str(root), **split_variable("SAGESTACK_MONITORING_SPEC", json.dumps(spec)), **environment}
    )


def csv(rows: pl.DataFrame) -> str:
    """Rows as a client sends them: no header, features in the signature's order, missing values empty."""
    buffer = io.BytesIO()
    rows.select(*NUMERIC, *CATEGORICAL).write_csv(buffer, include_header=False)
    return buffer.getvalue().decode().rstrip("\n")


def record(data: str, answer: str | None, when: datetime, **change: Any) -> dict[str, Any]:
    """A capture record, as SageMaker writes it."""
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    captured: dict[str, Any] = {"endpointInput": side | {"mode": "INPUT", "data": data} | change}
    if answer is not None:
        captured["endpointOutput"] = side | {"mode": "OUTPUT", "data": answer}
    metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


def lines(*records: dict[str, Any]) -> bytes:
    """A capture file."""
    return "".join(json.dumps(each) + "\n" for each in records).encode()
