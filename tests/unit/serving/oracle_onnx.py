"""scikit-learn's models as ONNX, with what scikit-learn predicts: run by .venvs/oracles, like oracle_models.py."""

import json

import numpy as np
from onnx import TensorProto, helper
from oracle_settings import CATEGORIES, NAMES, ROWS, edge_rows
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

COLOURS = ("blue", "gr,een", "größe")
CLASSES = ("low", "middle", "top")


def numbers(rows, *, missing):
    """Rows that scikit-learn takes: float32's range, and no missing values unless `missing`."""
    rows = np.clip(rows, -1e30, 1e30)
    rows[:, 2] %= CATEGORIES
    return rows if missing else np.nan_to_num(rows)


def write_onnx(folder):
    _write_of_numbers(folder)
    _write_of_text(folder)
    _write_of_whole_numbers(folder)


def _write_of_numbers(folder):
    kinds = {
        "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), np.float64),
        "boosting": (GradientBoostingClassifier(n_estimators=20, random_state=0), np.float32),
        "boosting-regression": (GradientBoostingRegressor(n_estimators=20, random_state=0), np.float32),
        "forest-with-missing": (
            make_pipeline(SimpleImputer(), RandomForestClassifier(20, max_depth=6, random_state=0)),
            np.float32,
        ),
    }
    for name, (model, kind) in kinds.items():
        missing = name.endswith("missing")
        data = numbers(edge_rows(1500, seed=1), missing=missing)
        data[np.abs(data) > 1e6] = 0.0
        score = np.nan_to_num(data[:, 0]) + np.nan_to_num(data[:, 1])
        model.fit(data.astype(kind), score if name.endswith("regression") else score > 0)
        tensor = DoubleTensorType if kind is np.float64 else FloatTensorType
        exported = to_onnx(model, initial_types=[("X", tensor([None, len(NAMES)]))], options=_options(model))
        (folder / f"{name}.onnx").write_bytes(exported.SerializeToString())
        if name == "boosting":
            maps = to_onnx(model, initial_types=[("X", tensor([None, len(NAMES)]))])
            (folder / "maps.onnx").write_bytes(maps.SerializeToString())
        rows = numbers(edge_rows(ROWS, seed=2), missing=missing)
        np.save(folder / f"{name}-rows.npy", rows)
        np.save(folder / f"{name}.npy", _predictions(model, rows.astype(kind)))


def _write_of_text(folder):
    random = np.random.default_rng(3)
    width, height = np.clip(random.normal(size=(2, ROWS)) * 10.0 ** random.integers(-3, 3, (2, ROWS)), -1e6, 1e6)
    colour = random.choice([*COLOURS, "unheard of", ""], ROWS).astype(object)
    score = width / 10 + (colour == "blue") - (colour == "größe")
    labels = np.array(CLASSES)[np.digitize(score, [-0.5, 0.5])]
    table = np.stack([width, height, colour], axis=1).astype(object)
    encoder = OneHotEncoder(categories=[list(COLOURS)], handle_unknown="ignore")
    columns = ColumnTransformer([("numbers", StandardScaler(), [0, 1]), ("texts", encoder, [2])])
    model = make_pipeline(columns, LogisticRegression(max_iter=300)).fit(table, labels)
    named = [("width", DoubleTensorType), ("height", DoubleTensorType), ("colour", StringTensorType)]
    grouped = [("numbers", DoubleTensorType([None, 2])), ("texts", StringTensorType([None, 1]))]
    inputs = {"named": [(name, kind([None, 1])) for name, kind in named], "grouped": grouped}
    for name, types in inputs.items():
        exported = to_onnx(model, initial_types=types, options=_options(model))
        (folder / f"{name}.onnx").write_bytes(exported.SerializeToString())
    np.save(folder / "text.npy", model.predict_proba(table))
    (folder / "text.json").write_text(json.dumps({"instances": table.tolist()}))


def _write_of_whole_numbers(folder):
    tensors = [helper.make_tensor_value_info(name, TensorProto.INT64, [None, 1]) for name in NAMES[:2]]
    output = helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1])
    nodes = [helper.make_node("Add", NAMES[:2], ["whole"]), helper.make_node("Cast", ["whole"], ["sum"], to=1)]
    graph = helper.make_graph(nodes, "whole", tensors, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / "whole.onnx").write_bytes(model.SerializeToString())


def _options(model):
    return {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None


def _predictions(model, rows):
    return model.predict_proba(rows)[:, 1] if hasattr(model, "predict_proba") else model.predict(rows)
