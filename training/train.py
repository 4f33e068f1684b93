"""Train: a gradient-boosted model of the train split, with the signature that says how to call it."""

import os
import signal
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import lightgbm
import polars as pl
from lightgbm.basic import LightGBMError, _ConfigAliases

from serving.contract import MODEL_FILE
from serving.core.booster import Matrix
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature, sha256, write_signature
from training.contract import SPLIT_FILE, TRAIN_CHANNEL, VALIDATION_CHANNEL
from training.errors import JobError, JobStopped
from training.folders import Folders
from training.frames import matrix, read
from training.metrics import Vector, functions
from training.spec import TrainingSpec

OBJECTIVES: Final = {"binary-classification": "binary", "regression": "regression"}
DEFAULT_ITERATIONS: Final = 100
OWN: Final = frozenset({"objective", "num_class", "num_threads", "deterministic", "verbosity"})
"""Parameters that follow from the spec and the machine."""


def run(spec: TrainingSpec, folders: Folders) -> None:
    """Write the model and its signature, and print the metrics that the training job's patterns read.

    Raises:
        JobError: the data or a hyperparameter cannot be used.
        JobStopped: SIGTERM arrived; nothing is written.
    """
    stop = _StopFlag()
    train = read(folders.channel(TRAIN_CHANNEL) / SPLIT_FILE, spec)
    validation = read(folders.channel(VALIDATION_CHANNEL) / SPLIT_FILE, spec)
    inputs = learn_inputs(train, spec)
    draft = Signature(spec.model, spec.problem, lightgbm.__version__, MODEL_FILE, "", inputs, _threshold(spec))
    splits = {
        name: (matrix(frame, draft), frame[spec.label].to_numpy())
        for name, frame in (("train", train), ("validation", validation))
    }
    print(f"training on {len(train)} rows, {len(inputs)} features", flush=True)  # noqa: T201 - the job's log
    model = _fit(spec, draft, splits, stop)
    signature = Signature(**{**vars(draft), "model_sha256": sha256(model)})
    predictor = Predictor(signature, model)
    (folders.model / MODEL_FILE).write_bytes(model)
    write_signature(signature, folders.model)
    _report(predictor, spec, splits)


def learn_inputs(train: pl.DataFrame, spec: TrainingSpec) -> tuple[Input, ...]:
    """The signature's inputs; the categories are those of the train split, sorted."""
    numeric = (Input(name, "numeric") for name in spec.numeric)
    return (*numeric, *(Input(name, "categorical", _categories(train[name])) for name in spec.categorical))


def parameters(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters under LightGBM's own names.

    Raises:
        JobError: LightGBM knows no such parameter, one is given twice, or one is not the user's to set.
    """
    aliases: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()  # noqa: SLF001 - there is no public list
    names = {alias: name for name, others in aliases.items() for alias in (name, *others)}
    found: dict[str, Any] = {}
    for key, value in hyperparameters.items():
        name = names.get(key)
        if name is None:
            near = get_close_matches(key, names, 1)
            raise JobError(f"LightGBM has no hyperparameter {key}" + (f": did you mean {near[0]}?" if near else ""))
        if name in OWN:
            raise JobError(f"the hyperparameter {key} is not free: it follows from the problem and the machine")
        if name in found:
            raise JobError(f"the hyperparameter {name} is given twice, once as {key}")
        found[name] = value
    return found


class _StopFlag:
    """Remembers SIGTERM; a LightGBM callback asks it between iterations."""

    def __init__(self) -> None:
        self._stopped = False
        signal.signal(signal.SIGTERM, self._stop)

    def __call__(self, environment: Any) -> None:  # noqa: ANN401 - LightGBM's CallbackEnv
        if self._stopped:
            raise JobStopped(
                f"stopped by SIGTERM after {environment.iteration} of {environment.end_iteration} iterations"
            )

    def _stop(self, *_: object) -> None:
        self._stopped = True


def _fit(
    spec: TrainingSpec, signature: Signature, splits: Mapping[str, tuple[Matrix, Vector]], stop: _StopFlag
) -> bytes:
    settings = {
        "seed": 1,
        "force_row_wise": True,
        **parameters(spec.hyperparameters),
        "objective": OBJECTIVES[spec.problem],
        "num_threads": len(os.sched_getaffinity(0)),
        "deterministic": True,
        "verbosity": -1,
    }
    iterations = settings.pop("num_iterations", DEFAULT_ITERATIONS)
    stopping = settings.get("early_stopping_round", 0)
    try:
        train = lightgbm.Dataset(*splits["train"], categorical_feature=list(signature.categorical), free_raw_data=True)
        booster = lightgbm.train(
            settings,
            train,
            iterations,
            valid_sets=[train.create_valid(*splits["validation"])] if stopping else None,
            callbacks=[stop],
        )
    except LightGBMError as error:
        raise JobError(f"LightGBM refuses: {error}") from None
    text: str = booster.model_to_string()
    return text.encode()


def _categories(column: pl.Series) -> tuple[str, ...]:
    return tuple(column.drop_nulls().unique().sort().to_list())


def _threshold(spec: TrainingSpec) -> float | None:
    return spec.threshold if spec.problem == "binary-classification" else None


def _report(predictor: Predictor, spec: TrainingSpec, splits: Mapping[str, tuple[Matrix, Vector]]) -> None:
    for split, (rows, labels) in splits.items():
        scores = predictor.score(rows)
        for name, metric in functions(spec.problem, spec.threshold).items():
            print(f"{split}_{name}={metric(labels, scores):.6f}", flush=True)  # noqa: T201 - what METRIC_PATTERNS read
