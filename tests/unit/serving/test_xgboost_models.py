"""XGBoost's own files score as in XGBoost, compiled or not, and what is not known is refused by name."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.contract import TREES_LIBRARY_VARIABLE
from serving.core import ubjson
from serving.core.boosted import BoostedTrees
from serving.core.errors import ArtifactError
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature
from serving.core.xgboost_model import LINKS, read_xgboost
from tests.unit.serving.oracle_settings import CATEGORICAL, CATEGORIES, NAMES, XGBOOST

NUMBERS = st.floats(width=64) | st.sampled_from([1e38, 3.5e38, 1e-45, -0.0])
CODES = st.integers(-2, 200).map(float) | st.just(float("nan"))
INPUTS = tuple(
    Input(name, "categorical", tuple(map(str, range(CATEGORIES)))) if place == CATEGORICAL else Input(name, "numeric")
    for place, name in enumerate(NAMES)
)


def loaded(content: bytes, library: Path | None) -> BoostedTrees:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TREES_LIBRARY_VARIABLE, str(library or ""))
        return BoostedTrees(read_xgboost(content))


def signature(**changes: Any) -> Signature:
    facts = {"problem": "binary-classification", "threshold": 0.5, "format": "xgboost", "library": "xgboost"}
    return Signature(**{"model": "m", "library_version": "3.2.0", "model_file": "m", "model_sha256": "",
                        "inputs": INPUTS, **facts, **changes})  # fmt: skip


@pytest.fixture(scope="module")
def document(oracles: Path) -> dict[str, Any]:
    return json.loads((oracles / "binary-logistic.json").read_bytes())


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
@pytest.mark.parametrize("name", XGBOOST)
def test_ten_thousand_edge_rows_score_as_in_xgboost(oracles: Path, library: Path, name: str, *, compiled: bool) -> None:
    rows, expected = np.load(oracles / "rows.npy"), np.load(oracles / f"{name}.npy")
    of_json, of_ubj = (
        loaded((oracles / f"{name}.{kind}").read_bytes(), library if compiled else None).predict(rows)
        for kind in ("json", "ubj")
    )
    assert len(rows) > 10_000
    np.testing.assert_allclose(of_json, expected, rtol=1e-6, atol=1e-7)
    assert of_ubj.tobytes() == of_json.tobytes()


@pytest.fixture(scope="module")
def walks(oracles: Path, library: Path) -> tuple[BoostedTrees, BoostedTrees]:
    content = (oracles / "reg-squarederror.json").read_bytes()
    return loaded(content, library), loaded(content, None)


@settings(deadline=None)
@given(row=st.tuples(NUMBERS, NUMBERS, CODES | NUMBERS, NUMBERS, NUMBERS))
def test_both_walks_give_any_row_the_same_sum_to_the_bit(
    walks: tuple[BoostedTrees, BoostedTrees], row: tuple[float, ...]
) -> None:
    compiled, numpy = walks
    matrix = np.array([row] * 9)  # a walk of eight rows, and one that is left
    assert compiled.predict(matrix).tolist() == numpy.predict(matrix).tolist() == [compiled.predict_row(row)] * 9


def edit(document: dict[str, Any], path: str, value: Any) -> bytes:
    changed = json.loads(json.dumps(document))
    *parents, last = (int(key) if key.isdecimal() else key for key in path.split("."))
    place = changed
    for key in parents:
        place = place[key]
    place[last] = value
    return json.dumps(changed).encode()


TREE = "learner.gradient_booster.model.trees.0"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("learner.objective.name", "rank:ndcg", r"objective is 'rank:ndcg'; this server knows reg:squarederror, "),
        ("learner.gradient_booster.name", "dart", "booster is 'dart'; this server knows gbtree"),
        ("learner.gradient_booster.name", "gblinear", "booster is 'gblinear'"),
        ("learner.learner_model_param.num_target", "2", "has 2 targets"),
        ("learner.learner_model_param.base_score", "[nan]", "base_score is"),
        ("learner.learner_model_param.num_feature", "1", "a split is on no feature"),
        ("learner.gradient_booster.model.tree_info", [0], "tree_info does not fit"),
        ("learner.gradient_booster.model.trees", [], "tree_info does not fit"),
        (f"{TREE}.left_children.0", 0, "leads back"),
        (f"{TREE}.right_children.0", 99_999, "leads out of its tree"),
        (f"{TREE}.split_conditions", [0.5], "expected"),
        (f"{TREE}.split_conditions", "text", "expected"),
        (f"{TREE}.split_indices.0", -1, "on no feature"),
        (f"{TREE}.categories_nodes", [], "does not fit split_type"),
        (f"{TREE}.tree_param.size_leaf_vector", "3", "leaves are vectors"),
        ("learner.learner_model_param", {}, "lacks 'num_class'"),
        ("learner", 5, "not XGBoost's JSON or UBJSON"),
    ],
)
def test_what_this_server_does_not_know_or_cannot_be_is_refused(
    document: dict[str, Any], path: str, value: Any, reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason) as caught:
        read_xgboost(edit(document, path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_a_file_cut_short_anywhere_is_refused(oracles: Path, kind: str) -> None:
    whole = (oracles / f"pruned.{kind}").read_bytes()
    for length in range(0, len(whole), 997):
        with pytest.raises(ArtifactError, match="not XGBoost's"):
            read_xgboost(whole[:length])


@given(body=st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"{U\x07learner{" + tail))
def test_no_bytes_break_the_reader_of_ubjson(body: bytes) -> None:
    with suppress(ValueError):
        ubjson.loads(body)


def test_ubjson_of_every_type_is_read() -> None:
    text = b"{U\x01aTU\x01bFU\x01cZU\x01dSU\x02hiU\x01e[i\x01I\x01\x00]U\x01f[#U\x01CxU\x01g[$l#U\x01\x00\x00\x00\x07}"
    found = ubjson.loads(text)
    assert isinstance(found, dict)
    assert found.pop("g").tolist() == [7]
    assert found == {"a": True, "b": False, "c": None, "d": "hi", "e": [1, 256], "f": ["x"]}
    for wrong in (text + b"T", b"[" * 1000, b"[$T#U\x01", b"SL" + b"\xff" * 8, b"?"):
        with pytest.raises(ValueError, match=r"byte|deep|a length"):
            ubjson.loads(wrong)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inputs": INPUTS[:-1]}, "the model has 5 features, its signature 4 inputs"),
        ({"inputs": INPUTS[::-1]}, "the model's feature 1 is 'width', its signature's input 'weight'"),
        ({"inputs": tuple(Input(name, "numeric") for name in NAMES)}, "are not the signature's categorical inputs"),
        ({"problem": "multiclass-classification", "classes": ("a", "b", "c")}, "gives no probabilities of classes"),
    ],
)
def test_a_model_that_is_not_its_signatures_is_refused(oracles: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        Predictor(signature(**changes), (oracles / "binary-logistic.json").read_bytes())


def test_categories_that_the_model_keeps_are_the_signatures(document: dict[str, Any]) -> None:
    kept = {"offsets": [0, 4, 10], "values": list("bluegröße".encode())[:10]}
    nothing: dict[str, list[int]] = {"offsets": [], "values": []}
    numbers = {"type": 4, "values": [7, 8]}
    content = edit(document, "learner.gradient_booster.model.cats.enc", [nothing, numbers, kept, nothing, nothing])
    inputs = [*INPUTS]
    inputs[CATEGORICAL] = Input("colour", "categorical", ("blue", "größ"))
    assert Predictor(signature(inputs=tuple(inputs)), content)
    inputs[CATEGORICAL] = Input("colour", "categorical", ("größ", "blue"))
    with pytest.raises(
        ArtifactError, match="categories of colour are blue, größ; its signature's are others, or stand"
    ):
        Predictor(signature(inputs=tuple(inputs)), content)


def test_classes_are_as_many_as_the_models(oracles: Path) -> None:
    content = (oracles / "multi-softprob.ubj").read_bytes()
    several = {"problem": "multiclass-classification", "threshold": None}
    with pytest.raises(
        ArtifactError, match="gives 4 values a row; its signature, a multiclass-classification, expects 3"
    ):
        Predictor(signature(**several, classes=("a", "b", "c")), content)
    assert Predictor(signature(**several, classes=("a", "b", "c", "d")), content).warning is None
    with pytest.raises(ArtifactError, match="gives no probability"):
        Predictor(signature(), content)


def test_a_newer_version_and_rounds_after_the_best_are_warned_of(document: dict[str, Any]) -> None:
    newer = Predictor(signature(), edit(document, "version", [4, 0, 1]))
    assert (
        newer.warning == "the model was saved by xgboost 4.0.1, which is newer than this server: compare a few scores"
    )
    early = Predictor(signature(), edit(document, "learner.attributes", {"best_iteration": "9"}))
    assert early.warning
    assert early.warning.startswith("all 25 rounds of the model are used, though its best iteration is 9")


def test_every_objective_that_is_known_has_been_compared() -> None:
    compared = {parameters["objective"] for parameters in XGBOOST.values()}
    alike = {"reg:squaredlogerror", "reg:pseudohubererror", "multi:softmax"}
    assert set(LINKS) - alike == compared
