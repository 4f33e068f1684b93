"""ONNX models score as the library that exported them, with inputs by name, in one tensor or in groups."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from serving.application import Application
from serving.contract import JSON
from serving.core.errors import ArtifactError, InputError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature
from serving.message import Request
from tests.unit.serving.conftest import PROJECT
from tests.unit.serving.oracle_settings import NAMES

NUMBERS = Signature(
    "m", "binary-classification", "1.9.1", "m", "", tuple(Input(name, "numeric") for name in NAMES), 0.5,
    format="onnx", library="scikit-learn",
)  # fmt: skip
TEXT = replace(
    NUMBERS,
    problem="multiclass-classification",
    threshold=None,
    inputs=(*NUMBERS.inputs[:2], Input("colour", "categorical", ("blue", "gr,een", "größe"))),
    classes=("low", "middle", "top"),
)


def load(oracles: Path, name: str, signature: Signature) -> Predictor:
    return Predictor(signature, (oracles / f"{name}.onnx").read_bytes())


@pytest.mark.parametrize("name", ["logistic", "boosting", "boosting-regression", "forest-with-missing"])
def test_ten_thousand_edge_rows_of_numbers_score_as_in_scikit_learn(oracles: Path, name: str) -> None:
    signature = replace(NUMBERS, problem="regression", threshold=None) if "regression" in name else NUMBERS
    predictor = load(oracles, name, signature)
    rows, expected = np.load(oracles / f"{name}-rows.npy"), np.load(oracles / f"{name}.npy")
    assert len(rows) > 10_000
    np.testing.assert_allclose(predictor.score(rows), expected, rtol=1e-6, atol=1e-6)
    assert predictor.score_row(rows[7].tolist()) == pytest.approx(expected[7], abs=1e-6)


@pytest.mark.parametrize("name", ["named", "grouped"])
def test_ten_thousand_rows_with_unknown_categories_score_as_in_scikit_learn(oracles: Path, name: str) -> None:
    predictor, expected = load(oracles, name, TEXT), np.load(oracles / "text.npy")
    rows = RowParser(TEXT).parse((oracles / "text.json").read_bytes(), JSON)
    assert rows.unknown["colour"] > 1000
    predictions = predictor.predictions(rows.matrix)
    np.testing.assert_allclose(predictions.probabilities, expected, rtol=0, atol=1e-6)
    assert predictions.labels == [TEXT.classes[place] for place in expected.argmax(axis=1)]


def test_a_model_is_served_whole(oracles: Path) -> None:
    body = b'{"instances": [{"colour": "blue", "height": 4, "width": 1.5}, [2, 3, "red"]]}'
    application = Application(load(oracles, "named", TEXT))
    assert application.evaluator == "onnxruntime"
    answer = application.respond(Request(b"POST", b"/invocations?output=label", JSON.encode(), body=body))
    labels = [one["label"] for one in json.loads(answer.body)["predictions"]]
    assert len(labels) == 2
    assert set(labels) <= set(TEXT.classes)


@pytest.mark.parametrize(
    ("name", "signature", "reason"),
    [
        ("maps", NUMBERS, "is a list of maps: export it with zipmap=False"),
        ("boosting-regression", NUMBERS, "is no probability: a classification gives some"),
        ("boosting", replace(NUMBERS, inputs=NUMBERS.inputs[:4]), "the model takes 5 inputs, its signature has 4"),
        ("named", replace(TEXT, inputs=TEXT.inputs[:2]), "the model takes 3 inputs, its signature has 2"),
        (
            "named",
            replace(TEXT, inputs=NUMBERS.inputs[:3]),
            "colour is text, but the signature's input colour is numeric",
        ),
        (
            "grouped",
            replace(TEXT, inputs=NUMBERS.inputs[:3]),
            "texts is text, but the signature's input colour is numeric",
        ),
        ("grouped", replace(TEXT, classes=("low", "top", "middle")), "the signature's classes stand in another order"),
        ("grouped", replace(TEXT, classes=("a", "b", "c", "d")), "gives 3 values a row; .* expects 4"),
        ("grouped", replace(TEXT, problem="regression", classes=()), "gives 3 values a row; .* expects 1"),
    ],
)
def test_a_model_that_is_not_its_signatures_is_refused(
    oracles: Path, name: str, signature: Signature, reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason) as caught:
        load(oracles, name, signature)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["boosting", "grouped"])
def test_a_file_cut_short_anywhere_is_refused(oracles: Path, name: str) -> None:
    whole = (oracles / f"{name}.onnx").read_bytes()
    for length in range(0, len(whole) - 200, max(len(whole) // 40, 1)):
        with pytest.raises(ArtifactError, match=r"ONNX Runtime cannot read the model file|export it with one"):
            Predictor(NUMBERS, whole[:length])


def test_whole_numbers_are_asked_for_where_the_model_takes_them(oracles: Path) -> None:
    predictor = load(
        oracles, "whole", replace(NUMBERS, problem="regression", threshold=None, inputs=NUMBERS.inputs[:2])
    )
    assert predictor.score(np.array([[2.0, 3.0]])).tolist() == [5.0]
    for wrong in (0.5, np.nan, np.inf, 1e300):
        with pytest.raises(InputError, match="row 2, field height: the model takes a whole number here"):
            predictor.score(np.array([[1.0, 1.0], [1.0, wrong]]))


def test_without_onnxruntime_the_reason_says_so(oracles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serving.core.onnx_model", None)
    with pytest.raises(ArtifactError, match="needs the package onnxruntime: pip install"):
        load(oracles, "boosting", NUMBERS)


def test_onnxruntime_is_imported_for_an_onnx_model_alone() -> None:
    code = "import sys, serving.__main__; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
