"""From a signature's format to what scores its model."""

from typing import Protocol

from serving.core.booster import Booster, Matrix, OneRow, installed_version
from serving.core.errors import ArtifactError
from serving.core.signature import LIGHTGBM, MULTICLASS, ONNX, Signature


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
    from serving.core.xgboost_format import load_xgboost  # noqa: PLC0415 - a tenth of a cold start, for such models alone

    return load_xgboost(signature, content)


def _onnx_model(signature: Signature, content: bytes) -> Model:
    try:
        from serving.core.onnx_model import OnnxModel  # noqa: PLC0415 - it imports ONNX Runtime, which takes 25 MB
    except ModuleNotFoundError:
        raise ArtifactError("an ONNX model needs the package onnxruntime: pip install 'sagestack[serving]'") from None
    return OnnxModel(signature, content)


def _other_version(signature: Signature) -> str | None:
    """What to know about a model of another LightGBM than the one installed here."""
    here, trained = installed_version(), signature.library_version
    if signature.library != LIGHTGBM or trained == here:
        return None
    return f"the model was trained with {LIGHTGBM} {trained} and is served with {here}: compare a few scores"
