"""From a signature's format to what scores its model."""

from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from serving.core.boosted import BoostedTrees
from serving.core.booster import Booster, Matrix, OneRow
from serving.core.errors import ArtifactError
from serving.core.signature import BINARY, LIGHTGBM, MULTICLASS, ONNX, Signature
from serving.core.xgboost_model import SIGMOID, SOFTMAX, XgboostModel, read_xgboost

NEWEST_XGBOOST = (3, 2)
"""The newest XGBoost whose files this server's tests have seen."""


class Model(Protocol):
    """A loaded model: `outputs` values a row, of `features` values; for any number of callers."""

    @property
    def name(self) -> str:
        """What scores, for the log and the metrics."""

    features: int
    outputs: int

    def predict(self, matrix: Matrix) -> Matrix:
        """The values of a (rows, features) matrix: (rows,), or (rows, outputs) if there are several."""

    def predict_row(self, row: OneRow) -> float:
        """The value of one row, if there is one a row."""


def load_model(signature: Signature, content: bytes) -> tuple[Model, str | None]:
    """The model of a file's content, and what to know about it.

    Raises:
        ArtifactError: the file cannot be read, or is not of the model that the signature describes.
    """
    model, warning = _load(signature, content)
    if model.features != len(signature.inputs):
        raise ArtifactError(f"the model has {model.features} features, its signature {len(signature.inputs)} inputs")
    expected = len(signature.classes) if signature.problem == MULTICLASS else 1
    if model.outputs != expected:
        raise ArtifactError(
            f"the model gives {model.outputs} values a row; its signature, a {signature.problem}, expects {expected}"
        )
    return model, warning


def _load(signature: Signature, content: bytes) -> tuple[Model, str | None]:
    if signature.format == LIGHTGBM:
        return Booster(content), _other_version(signature)
    if signature.format == ONNX:
        return _onnx_model(signature, content), None
    model = read_xgboost(content)
    _check_xgboost(signature, model)
    return BoostedTrees(model), _xgboost_warning(model)


def _onnx_model(signature: Signature, content: bytes) -> Model:
    try:
        from serving.core.onnx_model import OnnxModel  # noqa: PLC0415 - it imports ONNX Runtime, which takes 25 MB
    except ModuleNotFoundError:
        raise ArtifactError("an ONNX model needs the package onnxruntime: pip install 'sagestack[serving]'") from None
    return OnnxModel(signature, content)


def _other_version(signature: Signature) -> str | None:
    """What to know about a model of another version of the library than the one installed here."""
    try:
        here = version(signature.library)
    except PackageNotFoundError:
        return None
    trained = signature.library_version
    if trained == here:
        return None
    return f"the model was trained with {signature.library} {trained} and is served with {here}: compare a few scores"


def _check_xgboost(signature: Signature, model: XgboostModel) -> None:
    for place, (theirs, ours) in enumerate(zip(model.names, signature.names, strict=False), 1):
        if theirs != ours:
            raise ArtifactError(f"the model's feature {place} is {theirs!r:.60}, its signature's input {ours!r:.60}")
    if model.categorical is not None and model.categorical != signature.categorical:
        raise ArtifactError("the model's categorical features are not the signature's categorical inputs")
    for one, trained in zip(signature.inputs, model.categories, strict=False):
        if trained and trained != one.categories:
            raise ArtifactError(
                f"the model's categories of {one.name} are {', '.join(trained):.80}; its signature's are others, "
                "or stand in another order"
            )
    if signature.problem == BINARY and model.link != SIGMOID:
        raise ArtifactError("the model's objective gives no probability: a binary-classification needs binary:logistic")
    if signature.problem == MULTICLASS and model.link != SOFTMAX:
        raise ArtifactError("the model's objective gives no probabilities of classes: it needs multi:softprob")


def _xgboost_warning(model: XgboostModel) -> str | None:
    if tuple(map(int, model.version.split(".")[:2])) > NEWEST_XGBOOST:
        return f"the model was saved by xgboost {model.version}, which is newer than this server: compare a few scores"
    if model.best_iteration is not None and model.best_iteration + 1 < model.rounds:
        return (
            f"all {model.rounds} rounds of the model are used, though its best iteration is {model.best_iteration}: "
            "save model[: model.best_iteration + 1] for the best alone"
        )
    return None
