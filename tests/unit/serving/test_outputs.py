"""Each output as asked for, by query or custom attribute, in each content type."""

import io
import json

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.application import Application
from serving.contract import CSV, JSON, JSON_LINES, NPY
from serving.core.errors import InputError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature
from serving.lanes import Work
from serving.message import Request, Response
from tests.unit.serving.conftest import GOOD_ROW, INPUTS

NUMBERS = Signature("m", "regression", "4", "m", "", (Input("a", "numeric"), Input("b", "numeric")))


PARTS = st.binary(max_size=30) | st.lists(
    st.sampled_from([b"output", b"=", b"&", b"label", b"score", b"explanations", b"true", b"%", b"%00", b"+", b"\xff"]),
    max_size=8,
).map(b"".join)


@pytest.fixture
def application(predictor: Predictor) -> Application:
    return Application(predictor)


@pytest.fixture
def score(booster: lightgbm.Booster) -> float:
    return float(booster.predict(np.array([[1.5, 0, 2.5, 1, -3]]))[0])


def ask(application: Application, query: bytes, accept: str = JSON, attributes: bytes = b"") -> Response:
    request = Request(b"POST", b"/invocations" + query, CSV.encode(), accept.encode(), body=GOOD_ROW)
    request.custom_attributes = attributes
    return application.respond(request)


def test_labels_and_probabilities_in_every_content_type(application: Application, score: float) -> None:
    label, pair = int(score >= 0.5), [1 - score, score]
    assert json.loads(ask(application, b"?output=label").body) == {"predictions": [{"label": label}]}
    assert json.loads(ask(application, b"?output=probabilities").body) == {"predictions": [{"probabilities": pair}]}
    assert json.loads(ask(application, b"?output=label", JSON_LINES).body) == {"label": label}
    assert ask(application, b"?output=label", CSV).body == b"%d\n" % label
    assert ask(application, b"?output=probabilities", CSV).body == f"{pair[0]!r},{pair[1]!r}\n".encode()
    assert np.load(io.BytesIO(ask(application, b"", NPY).body)).tolist() == [score]
    assert np.load(io.BytesIO(ask(application, b"?output=probabilities", NPY).body)).tolist() == [pair]


def test_explanations_are_lightgbms_own_and_add_up_to_the_score(
    application: Application, booster: lightgbm.Booster, score: float
) -> None:
    (prediction,) = json.loads(ask(application, b"?explanations=true").body)["predictions"]
    *shares, base = booster.predict(np.array([[1.5, 0, 2.5, 1, -3]]), pred_contrib=True)[0].tolist()
    expected = dict(zip([one.name for one in INPUTS], shares, strict=True))
    assert prediction["contributions"] == pytest.approx(expected, abs=1e-12)
    assert prediction["base_value"] == pytest.approx(base)
    assert 1 / (1 + np.exp(-sum(shares) - base)) == pytest.approx(prediction["score"]) == pytest.approx(score)


def test_the_query_goes_before_custom_attributes_whose_other_keys_are_left_alone(application: Application) -> None:
    assert "label" in json.loads(ask(application, b"", attributes=b"output=label&x=1").body)["predictions"][0]
    both = ask(application, b"?output=probabilities", attributes=b"output=label")
    assert list(json.loads(both.body)["predictions"][0]) == ["probabilities"]


@pytest.mark.parametrize(
    ("query", "accept", "reason"),
    [
        (b"?output=odds", JSON, "output is 'odds': it must be one of score, label, probabilities"),
        (b"?explanations=yes", JSON, "explanations is 'yes': it must be true or false"),
        (b"?ouptut=label", JSON, "the query has 'ouptut': it takes output and explanations"),
        (b"?explanations=true", CSV, "explanations need an answer in application/json or application/jsonlines"),
    ],
)
def test_what_cannot_be_answered_is_refused(application: Application, query: bytes, accept: str, reason: str) -> None:
    response = ask(application, query, accept)
    assert response.status == 400
    assert json.loads(response.body)["error"].startswith(reason)


def test_explanations_are_long_work_and_for_a_bounded_number_of_rows(application: Application) -> None:
    asked = Request(b"POST", b"/invocations?explanations=true", CSV.encode(), JSON.encode(), body=GOOD_ROW * 1001)
    by_attribute = Request(b"POST", b"/invocations", custom_attributes=b"explanations=true")
    assert application.long_work(asked) == application.long_work(by_attribute) == Work.SCORING
    assert application.long_work(Request(b"POST", b"/invocations?output=label", body=GOOD_ROW)) is None
    refused = application.respond(asked)
    assert (refused.status, json.loads(refused.body)["error"].partition(":")[0]) == (
        400,
        "explanations are for at most 1000 rows a request",
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    query=PARTS,
    attributes=PARTS,
    accept=st.binary(max_size=30) | st.sampled_from([b"*/*", b"text/*;q=0", b",,;", b"application/json"]),
    content_type=st.binary(max_size=30) | st.sampled_from([b"text/csv", b"TEXT/CSV ; charset=x", b"application/json"]),
    path=st.sampled_from([b"/invocations", b"/ping", b"/", b"/invocations/"]),
)
def test_whatever_stands_in_target_and_headers_is_answered_or_refused(  # noqa: PLR0917 - what a request has
    application: Application, query: bytes, attributes: bytes, accept: bytes, content_type: bytes, path: bytes
) -> None:
    request = Request(b"POST", path + b"?" + query, content_type, accept, custom_attributes=attributes, body=GOOD_ROW)
    assert application.respond(request).status < 500


def test_columns_are_rows_by_name_in_any_order() -> None:
    parser = RowParser(NUMBERS)
    assert parser.parse(b'{"columns": {"b": [1, 2], "a": [3, 4]}}', JSON).values == [[3, 1], [4, 2]]
    with pytest.raises(InputError, match="field b: the column has 1 values, another has 2"):
        parser.parse(b'{"columns": {"a": [3, 4], "b": [1]}}', JSON)
    for body in (b"[]", b"{}", b'{"a": 1}'):
        with pytest.raises(InputError, match='"columns" must be an object of lists'):
            parser.parse(b'{"columns": %b}' % body, JSON)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["<f8", ">f4", "i2", "u8"])
def test_a_numpy_matrix_of_any_number_type_is_read(kind: str) -> None:
    assert RowParser(NUMBERS).parse(npy(np.array([[1, 2], [3, 4]], kind)), NPY).matrix.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "body",
    [
        b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", npy(np.zeros((2, 3))), npy(np.zeros(2)), npy(np.zeros((0, 2))),
        npy(np.array([["a", "b"]])), npy(np.array([[{}, None]])), npy(np.zeros((1, 2), complex)), b"PK\x03\x04",
        npy(np.zeros((9, 2)))[:-1], npy(np.zeros((9, 2))).replace(b"(9, 2)", b"(9999999999999, 2)"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_matrix_of_numbers_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        RowParser(NUMBERS).parse(body, NPY)


def test_categories_have_no_place_in_numpys_format(predictor: Predictor) -> None:
    with pytest.raises(InputError, match="the model takes categories as text"):
        RowParser(predictor.signature).parse(npy(np.zeros((1, 5))), NPY)
