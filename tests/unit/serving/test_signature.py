"""`signature.json` survives the round trip, and anything doubtful is refused in one line."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.contract import MODEL_FILE, SIGNATURE_FILE
from serving.core.errors import ArtifactError
from serving.core.predictor import Predictor
from serving.core.signature import (
    FORMATS,
    Input,
    Signature,
    read_model,
    read_signature,
    sha256,
    write_signature,
)

NAMES = st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True)
INPUTS = NAMES.flatmap(
    lambda names: st.tuples(
        *(
            st.just(Input(name, "numeric"))
            | st.lists(st.text(), unique=True).map(lambda found, name=name: Input(name, "categorical", tuple(found)))
            for name in names
        )
    )
)


OUTPUTS = st.one_of(
    st.tuples(st.sampled_from(FORMATS), st.text(min_size=1)).map(
        lambda found: {"problem": "regression", "format": found[0], "library": found[1]}
    ),
    st.floats(0, 1).map(lambda threshold: {"problem": "binary-classification", "threshold": threshold}),
    st.lists(st.text(), min_size=3, unique=True).map(
        lambda found: {"problem": "multiclass-classification", "classes": tuple(found)}
    ),
)


@given(inputs=INPUTS, output=OUTPUTS)
def test_a_signature_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    inputs: tuple[Input, ...],
    output: dict[str, Any],
) -> None:
    folder = tmp_path_factory.mktemp("signature")
    written = {"model": "m", "library_version": "4.7.0", "model_file": MODEL_FILE, "model_sha256": sha256(b"")}
    signature = Signature(**written, inputs=inputs, **output)
    write_signature(signature, folder)
    assert read_signature(folder) == signature


@pytest.fixture
def folder(tmp_path: Path, signature: Signature, ml_root: Path) -> Path:
    write_signature(signature, tmp_path)
    (tmp_path / MODEL_FILE).write_bytes((ml_root / "model" / MODEL_FILE).read_bytes())
    return tmp_path


def edit(folder: Path, **changes: Any) -> None:
    path = folder / SIGNATURE_FILE
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not ...}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": 2}, "schema_version 2; this server reads 1"),
        ({"schema_version": "1"}, "schema_version is '1', which is of the wrong type"),
        ({"schema_version": True}, "of the wrong type"),
        ({"inputs": ...}, "lacks inputs"),
        ({"inputs": []}, "inputs is empty"),
        ({"inputs": ["width"]}, r"inputs\[0\] must be an object"),
        ({"inputs": [{"name": "a", "type": "numeric"}] * 2}, "'a' twice"),
        ({"inputs": [{"name": "a", "type": "text"}]}, "is 'text'; this server knows categorical"),
        ({"inputs": [{"name": "a", "type": "categorical", "categories": ["x", "x"]}]}, "must be distinct texts"),
        ({"inputs": [{"name": "a", "type": "categorical", "categories": [1]}]}, "must be distinct texts"),
        (
            {"problem": "clustering"},
            "problem is 'clustering'; this server knows binary-classification, multiclass-classification, regression",
        ),
        ({"format": "catboost"}, "format is 'catboost'; this server knows lightgbm, xgboost, onnx"),
        ({"format": "pickle"}, r"is a pickle \('pickle'\), which could run any code and is never loaded: save"),
        ({"model_file": "model.joblib.gz"}, "is a pickle .*export a scikit-learn model to ONNX"),
        ({"problem": "multiclass-classification"}, "lacks classes"),
        ({"problem": "multiclass-classification", "output": {"classes": ["a", "a", "b"]}}, "must be distinct texts"),
        ({"problem": "multiclass-classification", "output": {"classes": ["a", "b"]}}, "has 2 entries, expected 3"),
        ({"output": {"name": "score"}}, "lacks threshold"),
        ({"model_file": "../secret"}, "it must be a file beside signature.json"),
    ],
)
def test_a_signature_that_breaks_a_rule_is_refused(folder: Path, changes: dict[str, Any], reason: str) -> None:
    edit(folder, **changes)
    with pytest.raises(ArtifactError, match=reason):
        read_signature(folder)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_signature_that_is_no_json_object_is_refused(folder: Path, text: bytes) -> None:
    (folder / SIGNATURE_FILE).write_bytes(text)
    with pytest.raises(ArtifactError, match=SIGNATURE_FILE):
        read_signature(folder)


def test_an_absent_signature_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f"has no {SIGNATURE_FILE}"):
        read_signature(tmp_path)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "Model.PICKLE", "a.cloudpickle", "model.pkl.gz"])
def test_a_pickle_is_refused_by_name_with_or_without_a_signature(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ArtifactError, match="is a pickle"):
        read_signature(tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_under_another_name_is_refused(folder: Path, protocol: int) -> None:
    content = pickle.dumps({"a": 1}, protocol)
    (folder / MODEL_FILE).write_bytes(content)
    edit(folder, model_sha256=sha256(content))
    with pytest.raises(ArtifactError, match="is a pickle"):
        Predictor.load(folder)


def test_an_absent_model_file_is_named(folder: Path, signature: Signature) -> None:
    (folder / MODEL_FILE).unlink()
    with pytest.raises(ArtifactError, match=f"{MODEL_FILE} .* is missing"):
        read_model(signature, folder)


def test_a_model_file_that_was_changed_is_refused(folder: Path) -> None:
    with (folder / MODEL_FILE).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ArtifactError, match=f"{MODEL_FILE} is not the file that {SIGNATURE_FILE} describes"):
        Predictor.load(folder)


def test_a_model_of_other_features_than_its_signature_is_refused(folder: Path, signature: Signature) -> None:
    write_signature(replace(signature, inputs=signature.inputs[:-1]), folder)
    with pytest.raises(ArtifactError, match="the model has 5 features, its signature 4 inputs"):
        Predictor.load(folder)
