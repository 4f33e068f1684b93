"""The model of docs/serving.md's examples."""

import re
from pathlib import Path

import lightgbm
import numpy as np

from serving.contract import MODEL_FILE
from serving.core.signature import Input, Signature, sha256, write_signature

INPUTS = (Input("width", "numeric"), Input("depth", "numeric"), Input("colour", "categorical", ("blue", "red")))


def write_documented_model(folder: Path) -> None:
    """Write a model that says blue, with log-odds of 2."""
    text = _text()
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_text(text)
    digest = sha256(text.encode())
    write_signature(Signature("boxes", "binary-classification", "4.7.0", MODEL_FILE, digest, INPUTS, 0.5), folder)


def _text() -> str:
    rows = np.array([[1.0, 1.0, number % 2] for number in range(200)])
    data = lightgbm.Dataset(rows, 1 - rows[:, 2], categorical_feature=[2], params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 2, "max_cat_to_onehot": 2}
    booster = lightgbm.train(settings, data, 1)
    assert booster.predict(rows[:1])[0] > 0.5
    text = booster.model_to_string()
    codes = re.search(r"^cat_threshold=(.*)$", text, re.MULTILINE)
    assert codes
    values = "2 -2" if codes[1] == "1" else "-2 2"
    text = re.sub(r"^leaf_value=.*$", f"leaf_value={values}", text, flags=re.MULTILINE)
    return re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
