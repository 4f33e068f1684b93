"""What is compiled scores bit for bit as LightGBM, or does not serve at all."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.contract import TREES_LIBRARY_VARIABLE
from serving.core import trees
from serving.core.booster import Booster
from serving.core.forest import BLOCK, UnreadableForestError, read_forest
from serving.core.trees import Trees, compiled_trees
from tests.unit.serving.conftest import edge_rows

DATA = np.random.default_rng(7).normal(size=(500, 5))
LABELS = (DATA[:, 0] > 0).astype(float)
NUMBERS = st.floats(width=64) | st.sampled_from([1e-35, -1e-36, 2.0**31, -0.5, 5e-324, 1e300])
CODES = st.integers(-3, 70).map(float) | NUMBERS


@pytest.fixture
def compiled(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TREES_LIBRARY_VARIABLE, str(library))


@pytest.fixture(scope="module", params=["compiled leaves", "compiled trees"])
def walk(request: pytest.FixtureRequest, library: Path, booster: lightgbm.Booster) -> Trees:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TREES_LIBRARY_VARIABLE, str(library))
        if request.param == "compiled trees":
            patch.setattr(trees, "leaves_of", lambda _forest: None)
        found = walked(booster)
    assert found
    assert found.name == request.param
    return found


def walked(model: lightgbm.Booster) -> Trees | None:
    text = model.model_to_string().encode()
    return compiled_trees(text, Booster(text))


def trained(**parameters: object) -> lightgbm.Booster:
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1, **parameters}
    return lightgbm.train(settings, lightgbm.Dataset(DATA, LABELS, params={"verbosity": -1}), 11)


def test_ten_thousand_edge_rows_score_bit_for_bit_as_in_lightgbm(walk: Trees, booster: lightgbm.Booster) -> None:
    rows = edge_rows(10_003, seed=5)
    expected = booster.predict(rows, num_threads=1)
    assert walk.predict(rows).tobytes() == expected.tobytes()
    assert [walk.predict_row(row) for row in rows[:1000].tolist()] == expected[:1000].tolist()


@settings(deadline=None)
@given(row=st.tuples(NUMBERS, CODES, NUMBERS, CODES, NUMBERS))
def test_any_row_scores_bit_for_bit(walk: Trees, booster: lightgbm.Booster, row: tuple[float, ...]) -> None:
    assert walk.predict_row(list(row)) == booster.predict(np.array([row]))[0]


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    "parameters",
    [{}, {"objective": "binary"}, {"objective": "mae"}, {"use_missing": False}, {"num_leaves": 2}, {"max_depth": 1}]
    + [{"num_leaves": leaves, "min_data_in_leaf": 1} for leaves in (32, 33, 64, 65, 255)],
    ids=str,
)
def test_models_of_the_usual_kinds_are_walked(parameters: dict[str, object]) -> None:
    model = trained(**parameters)
    walk = walked(model)
    assert walk
    assert walk.name == "compiled leaves"
    assert walk.predict(DATA).tobytes() == model.predict(DATA, num_threads=1).tobytes()


@pytest.mark.usefixtures("compiled")
def test_trees_are_walked_where_many_features_make_that_quicker() -> None:
    wide = np.random.default_rng(3).normal(size=(200, 300))
    data = lightgbm.Dataset(wide, wide[:, 0], params={"verbosity": -1})
    model = lightgbm.train({"objective": "regression", "verbosity": -1, "min_data_in_leaf": 1}, data, 20)
    walk = walked(model)
    assert walk
    assert walk.name == "compiled trees"
    assert walk.predict(wide).tobytes() == model.predict(wide, num_threads=1).tobytes()


@pytest.mark.usefixtures("compiled")
def test_hundreds_of_trees_are_added_up_in_lightgbms_order() -> None:
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1, "num_leaves": 7, "learning_rate": 0.01}
    model = lightgbm.train(settings, lightgbm.Dataset(DATA, LABELS, params={"verbosity": -1}), 2 * BLOCK + 5)
    walk = walked(model)
    assert walk
    assert walk.predict(DATA).tobytes() == model.predict(DATA, num_threads=1).tobytes()
    assert [walk.predict_row(row) for row in DATA[:50].tolist()] == model.predict(DATA[:50], num_threads=1).tolist()


@pytest.mark.usefixtures("compiled")
def test_a_model_without_a_single_split_is_walked() -> None:
    model = trained(min_data_in_leaf=400)
    walk = walked(model)
    assert walk
    assert walk.predict_row(DATA[0].tolist()) == model.predict(DATA[:1])[0]


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    "parameters",
    [
        {"objective": "poisson"},
        {"linear_tree": True},
        {"zero_as_missing": True},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    ],
    ids=str,
)
def test_models_of_other_kinds_are_left_to_lightgbm(parameters: dict[str, object]) -> None:
    assert walked(trained(**parameters)) is None


def test_without_the_library_lightgbm_scores(booster: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TREES_LIBRARY_VARIABLE, raising=False)
    assert walked(booster) is None
    monkeypatch.setenv(TREES_LIBRARY_VARIABLE, "/nowhere/trees.so")
    assert walked(booster) is None


@pytest.mark.usefixtures("compiled")
def test_a_walk_that_differs_in_one_bit_does_not_serve(
    booster: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(walk: Trees, matrix: np.ndarray) -> np.ndarray:
        return np.nextafter(original(walk, matrix), 1.0)

    original = Trees.predict
    monkeypatch.setattr(trees.Trees, "predict", predict)
    assert walked(booster) is None


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("left_child=", "left_child=0 "),
        ("right_child=1 ", "right_child=2 "),
        ("\nthreshold=", "\nthreshold=nan "),
        ("split_feature=", "split_feature=9999 "),
        ("split_feature=", "split_feature=x "),
        ("num_leaves=", "num_leaves=9"),
        ("\nTree=0", "\nTrees=0"),
        ("cat_boundaries=0 ", "cat_boundaries=9 "),
    ],
)
def test_a_text_that_would_lead_the_walk_astray_is_not_read(
    booster: lightgbm.Booster, written: str, changed: str
) -> None:
    with pytest.raises(UnreadableForestError):
        read_forest(booster.model_to_string().replace(written, changed))
