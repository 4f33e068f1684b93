"""What is served and asked: a LightGBM classifier of 200 trees of 31 leaves on 20 features, and rows that vary."""

import json

import lightgbm
import numpy as np

from serving.contract import MODEL_DIRECTORY
from serving.core.signature import Input, Signature, sha256, write_signature

FEATURES = 20
ROWS = 2000
HUNDRED = 100


def train(folder):
    """The model, in our artifact's form and in LightGBM's, and rows that vary."""
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(20_000, FEATURES))
    late = rows[:, 0] + rows[:, 1] * rows[:, 2] + np.sin(3 * rows[:, 3]) + chance.normal(size=20_000) / 2 > 0
    settings = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, late.astype(float)), 200)
    artifact = folder / MODEL_DIRECTORY
    artifact.mkdir()
    text = booster.model_to_string().encode()
    (artifact / "model.txt").write_bytes(text)
    inputs = tuple(Input(f"f{number}", "numeric") for number in range(FEATURES))
    signature = Signature("bench", "binary-classification", "4.7.0", "model.txt", sha256(text), inputs, 0.5)
    write_signature(signature, artifact)
    return booster, np.round(rows[:ROWS], 5)


def payloads(rows, dialect="sagemaker"):
    """By name: the path, the content type, the bodies; a peer that takes no CSV has its hundred rows in JSON."""
    hundreds = [rows[start : start + HUNDRED] for start in range(0, len(rows), HUNDRED)]
    ones = [rows[number : number + 1] for number in range(len(rows))]
    if dialect == "v2":
        where = ("/v2/models/bench/infer", "application/json")
        return {"json1": (*where, [*map(_tensor, ones)]), "csv100": (*where, [*map(_tensor, hundreds)])}
    instances = "inputs" if dialect == "mlflow" else "instances"
    objects = [json.dumps({instances: one.tolist()}) for one in ones]
    return {
        "csv1": ("/invocations", "text/csv", [_csv(one, dialect) for one in ones]),
        "json1": ("/invocations", "application/json", objects),
        "csv100": ("/invocations", "text/csv", [_csv(part, dialect) for part in hundreds]),
    }


def first_score(answer):
    """The first score of an answer in any of the dialects."""
    document = json.loads(answer)
    if "outputs" in document:
        return document["outputs"][0]["data"][0]
    first = (document["predictions"] if isinstance(document, dict) else document)[0]
    return first["score"] if isinstance(first, dict) else first


def _csv(part, dialect):
    header = ",".join(f"f{number}" for number in range(FEATURES)) + "\n" if dialect == "mlflow" else ""
    return header + "".join(",".join(map(repr, row)) + "\n" for row in part.tolist())


def _tensor(part):
    data = {"name": "x", "datatype": "FP64", "shape": list(part.shape), "data": part.ravel().tolist()}
    return json.dumps({"inputs": [data]})
