"""Models of other libraries with what those libraries predict: run by .venvs/oracles, which alone has them.

`import lightgbm` takes seconds where scikit-learn is installed, so that is kept out of the project's own environment.
Writes into the folder that it is given: a model file, its rows and its predictions, by name.
"""

import sys
from pathlib import Path

import numpy as np
import xgboost
from oracle_onnx import write_onnx
from oracle_settings import CATEGORICAL, FEATURES, NAMES, ROWS, TYPES, XGBOOST, edge_rows


def write_xgboost(folder):
    rows = edge_rows(ROWS, seed=2)
    np.save(folder / "rows.npy", rows)
    data = edge_rows(2000, seed=1)
    data[np.abs(data) > 1e30] = np.nan  # a DMatrix takes no infinities; predictions do
    known = np.nan_to_num(data)
    score = np.clip(known[:, 0], -5, 5) + 3 * (known[:, CATEGORICAL] % 7 > 3) + np.clip(known[:, 3], -1, 1)
    for name, parameters in XGBOOST.items():
        objective = parameters["objective"]
        labels = {"binary": score > 1, "multi": np.digitize(score, [-1, 1, 3])}.get(objective.split(":")[0])
        if labels is None:
            labels = 1 / (1 + np.exp(-score)) if objective == "reg:logistic" else np.abs(score) + 0.1
        kinds = ["q"] * FEATURES if parameters.get("tree_method") == "exact" else TYPES
        matrix = xgboost.DMatrix(data, labels, feature_types=kinds, feature_names=NAMES, enable_categorical=True)
        model = xgboost.train({"max_cat_to_onehot": 3, "nthread": 1, "seed": 0} | parameters, matrix, 25)
        model.save_model(folder / f"{name}.json")
        model.save_model(folder / f"{name}.ubj")
        model.feature_names = None  # so that it takes an array
        np.save(folder / f"{name}.npy", model.inplace_predict(rows))


if __name__ == "__main__":
    write_xgboost(Path(sys.argv[1]))
    write_onnx(Path(sys.argv[1]))
