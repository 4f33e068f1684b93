"""Models of several classes: probabilities as the library's, and each output as asked for, in each content type."""

import csv
import io
import json
from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from serving.application import Application
from serving.contract import CSV, JSON, JSON_LINES, NPY
from serving.core.errors import ArtifactError
from serving.core.predictor import Predictor
from serving.core.signature import Signature
from serving.message import Request, Response
from tests.unit.serving.conftest import GOOD_ROW, INPUTS, edge_rows

CLASSES = ("small", "middling, so to speak", "größte")


@pytest.fixture(scope="module")
def several() -> lightgbm.Booster:
    rows = edge_rows(1000, seed=8)
    labels = np.digitize(np.nan_to_num(rows[:, 0]), [-1, 1])
    data = lightgbm.Dataset(rows, labels, categorical_feature=[1, 3], params={"verbosity": -1})
    return lightgbm.train({"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}, data, 9)


@pytest.fixture(scope="module")
def predictor(several: lightgbm.Booster) -> Predictor:
    signature = Signature("m", "multiclass-classification", "4.7.0", "m", "", INPUTS, classes=CLASSES)
    return Predictor(signature, several.model_to_string().encode())


@pytest.fixture(scope="module")
def probabilities(several: lightgbm.Booster) -> list[float]:
    found: list[float] = several.predict(np.array([[1.5, 0, 2.5, 1, -3]]))[0].tolist()
    return found


def ask(predictor: Predictor, query: bytes, accept: str) -> Response:
    return Application(predictor).respond(
        Request(b"POST", b"/invocations" + query, CSV.encode(), accept.encode(), body=GOOD_ROW)
    )


def test_probabilities_are_the_librarys_on_ten_thousand_edge_rows(
    predictor: Predictor, several: lightgbm.Booster
) -> None:
    rows = edge_rows(10_000, seed=9)
    expected = several.predict(rows)
    found = predictor.predictions(rows)
    np.testing.assert_allclose(found.probabilities, expected, rtol=0, atol=1e-12)
    assert found.labels == [CLASSES[place] for place in expected.argmax(axis=1)]
    assert found.scores == predictor.score(rows).tolist() == expected.max(axis=1).tolist()


def test_a_score_is_the_likeliest_classs_and_its_label_the_class(
    predictor: Predictor, probabilities: list[float]
) -> None:
    likeliest = CLASSES[int(np.argmax(probabilities))]
    (prediction,) = json.loads(ask(predictor, b"", JSON).body)["predictions"]
    assert prediction == {"score": pytest.approx(max(probabilities)), "label": likeliest}
    assert json.loads(ask(predictor, b"", JSON_LINES).body) == prediction
    assert json.loads(ask(predictor, b"?output=label", JSON).body) == {"predictions": [{"label": likeliest}]}
    assert float(ask(predictor, b"", CSV).body) == prediction["score"]
    assert np.load(io.BytesIO(ask(predictor, b"?output=label", NPY).body)).tolist() == [likeliest]


def test_probabilities_stand_in_the_order_of_the_classes(predictor: Predictor, probabilities: list[float]) -> None:
    expected = pytest.approx(probabilities, abs=1e-12)
    (prediction,) = json.loads(ask(predictor, b"?output=probabilities", JSON).body)["predictions"]
    assert prediction == {"probabilities": expected}
    (line,) = csv.reader([ask(predictor, b"?output=probabilities", CSV).body.decode()])
    assert list(map(float, line)) == expected
    assert np.load(io.BytesIO(ask(predictor, b"?output=probabilities", NPY).body))[0].tolist() == expected


def test_a_label_in_csv_is_quoted_where_it_must_be(several: lightgbm.Booster, predictor: Predictor) -> None:
    commas = replace(predictor.signature, classes=("a,1", "b,2", 'c"3'))
    body = ask(Predictor(commas, several.model_to_string().encode()), b"?output=label", CSV).body.decode()
    assert body.startswith('"')
    ((label,),) = csv.reader([body])
    assert label in commas.classes


def test_explanations_of_several_scores_are_refused(predictor: Predictor) -> None:
    response = ask(predictor, b"?explanations=true", JSON)
    assert response.status == 400
    assert json.loads(response.body)["error"] == "explanations are for LightGBM models of one score a row"


def test_a_model_of_another_number_of_classes_than_its_signature_is_refused(
    several: lightgbm.Booster, predictor: Predictor
) -> None:
    content = several.model_to_string().encode()
    with pytest.raises(
        ArtifactError, match="gives 3 values a row; its signature, a multiclass-classification, expects 4"
    ):
        Predictor(replace(predictor.signature, classes=(*CLASSES, "other")), content)
    with pytest.raises(ArtifactError, match="gives 3 values a row; its signature, a regression, expects 1"):
        Predictor(Signature("m", "regression", "4.7.0", "m", "", INPUTS), content)
