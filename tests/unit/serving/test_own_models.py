"""What docs/serving.md tells model owners works as it stands there, and what they get wrong is told in one line."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.__main__ import main
from serving.application import Application
from serving.contract import JSON, MODEL_FILE, SIGNATURE_FILE
from serving.core.artifact import unpack
from serving.core.errors import ArtifactError
from serving.core.package import write_artifact
from serving.core.predictor import Predictor
from serving.core.signature import Signature, read_signature, sha256, write_signature
from serving.message import Request
from tests.conftest import ORACLES
from tests.unit.serving.conftest import PROJECT

PAGE = (PROJECT / "docs" / "serving.md").read_text()
SNIPPETS = {
    found: text
    for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for found in re.findall(r'format="(\w+)"', text)
}
DATA = """
import numpy as np
random = np.random.default_rng(0)
rows = np.stack([random.normal(size=300), random.normal(size=300), random.integers(0, 2, 300)], axis=1)
labels = (rows[:, 0] > 0).astype(int) + {more}
table = rows.astype(object)
table[:, 2] = np.array(["blue", "red"], object)[rows[:, 2].astype(int)]
"""
BODY = b'{"instances": [[0.5, 1, "blue"], {"colour": "green", "width": -1, "depth": 2}]}'


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "onnx"])
def test_what_the_page_tells_a_model_owner_gives_a_model_that_answers(tmp_path: Path, kind: str) -> None:
    if kind != "lightgbm" and not ORACLES.exists():
        pytest.skip("there is no .venvs/oracles: make .venvs/oracles/.ready")
    python = sys.executable if kind == "lightgbm" else ORACLES
    code = DATA.format(more="(rows[:, 1] > 0)" if kind == "xgboost" else 0) + SNIPPETS[kind]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run([python, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    unpack(tmp_path / "model.tar.gz", tmp_path / "model")
    predictor = Predictor.load(tmp_path / "model")
    assert predictor.warning is None
    answer = Application(predictor).respond(Request(b"POST", b"/invocations", JSON.encode(), body=BODY))
    assert answer.status == 200
    assert answer.facts["rows"] == 2


def test_every_format_has_its_snippet() -> None:
    assert set(SNIPPETS) == {"lightgbm", "xgboost", "onnx"}


def test_the_same_model_gives_the_same_archive_and_a_wrong_description_none(
    tmp_path: Path, ml_root: Path, signature: Signature
) -> None:
    facts = {"model": "boxes", "problem": "binary-classification", "format": "lightgbm", "library": "lightgbm"}
    facts |= {"library_version": "4.7.0", "threshold": 0.5}
    one, other = tmp_path / "one.tar.gz", tmp_path / "other.tar.gz"
    for archive in (one, other):
        write_artifact(archive, ml_root / "model" / MODEL_FILE, inputs=signature.inputs, **facts)
    assert one.read_bytes() == other.read_bytes()
    unpack(one, tmp_path / "model")
    assert read_signature(tmp_path / "model") == signature
    with pytest.raises(ArtifactError, match="the model has 5 features, its signature 4 inputs"):
        write_artifact(tmp_path / "none", ml_root / "model" / MODEL_FILE, inputs=signature.inputs[1:], **facts)
    assert not (tmp_path / "none").exists()


Edit = Callable[[Path, Signature], None]


def sign(folder: Path, signature: Signature, content: bytes, **changes: object) -> None:
    (folder / MODEL_FILE).write_bytes(content)
    write_signature(replace(signature, model_sha256=sha256(content), **changes), folder)


def rewrite(folder: Path, written: str, changed: str) -> None:
    path = folder / SIGNATURE_FILE
    path.write_text(path.read_text().replace(written, changed))


WRONG: dict[str, tuple[Edit, str]] = {
    "newer schema": (lambda to, _: rewrite(to, '"schema_version": 1', '"schema_version": 2'), "schema_version 2; this"),
    "no signature": (lambda to, _: (to / SIGNATURE_FILE).unlink(), "has no signature.json"),
    "changed model": (lambda to, _: (to / MODEL_FILE).write_bytes(b"x"), "is not the file that signature.json"),
    "unknown format": (lambda to, _: rewrite(to, '"format": "lightgbm"', '"format": "h5"'), "format is 'h5'"),
    "pickle": (lambda to, _: rewrite(to, MODEL_FILE, "model.pkl"), "the model is a pickle ('model.pkl')"),
    "features": (
        lambda to, one: write_signature(replace(one, inputs=one.inputs[1:]), to), "has 5 features, its signature 4",
    ),
    "classes": (
        lambda to, one: write_signature(
            replace(one, problem="multiclass-classification", threshold=None, classes=("a", "b", "c")), to
        ),
        "gives 1 values a row; its signature, a multiclass-classification, expects 3",
    ),
    "no model": (lambda to, one: sign(to, one, b"text"), "LightGBM cannot read the model file"),
    "no xgboost": (lambda to, one: sign(to, one, b"{}", format="xgboost"), "the model file is not XGBoost's"),
    "no onnx": (lambda to, one: sign(to, one, b"text", format="onnx"), "ONNX Runtime cannot read the model file"),
}  # fmt: skip


@pytest.fixture
def signals_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def folder(tmp_path: Path, ml_root: Path) -> Path:
    shutil.copytree(ml_root / "model", tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.usefixtures("signals_kept")
def test_a_wrong_artifact_stops_the_start_with_one_line_and_exit_code_1(
    folder: Path, signature: Signature, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    edit, reason = WRONG[name]
    edit(folder, signature)
    assert main(["serve", str(folder)]) == 1
    output, error = capfd.readouterr()
    assert reason in error
    assert (output, error.count("\n")) == ("", 1)


def test_an_oversized_or_truncated_archive_stops_the_start_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        entry = tarfile.TarInfo(MODEL_FILE)
        entry.size = 2000
        members.addfile(entry, io.BytesIO(np.random.default_rng(0).bytes(2000)))
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(packed.getvalue())
    monkeypatch.setattr("serving.core.artifact.MAX_BYTES", 1999)
    assert main(["serve", str(archive)]) == 1
    assert "1999 bytes" in capfd.readouterr().err
    archive.write_bytes(packed.getvalue()[:1000])
    assert main(["serve", str(archive)]) == 1
    assert "is not a readable gzipped tar archive" in capfd.readouterr().err
