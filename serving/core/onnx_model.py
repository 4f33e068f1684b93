"""ONNX models through ONNX Runtime, which is imported when a signature asks for it: it takes 25 MB.

A model has one tensor for all inputs, one an input under its name, or tensors that take the inputs in order, each as
many as it is wide. A tensor of text takes categories as they were sent; a tensor of numbers takes their codes.
Source: https://onnxruntime.ai/docs/api/python/api_summary.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NotImplemented,  # noqa: A004 - ONNX Runtime's own name
    RuntimeException,
)

from serving.core.booster import Matrix, OneRow
from serving.core.errors import ArtifactError, InputError
from serving.core.signature import BINARY, MULTICLASS, Signature

NUMBERS: Final = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
TEXT: Final = "tensor(string)"
MISSING_TEXT: Final = ""
"""What a tensor of text has for a missing value, and for one of no category seen in training."""
_LARGEST: Final = {"tensor(int64)": 2.0**53, "tensor(int32)": 2.0**31}
"""Whole numbers below are held exactly both by a float64 and by the type."""
_FATAL: Final = 4
_PROBES: Final = 64
_ROUNDING: Final = 1e-5
"""A forest's float32 votes may add up to a little more than one."""
_REFUSALS: Final = (
    EPFail, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented, RuntimeException, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class _Tensor:
    """An input of the model: its name and type, which of the signature's inputs it takes, and whether as a list."""

    name: str
    kind: str
    places: tuple[int, ...]
    flat: bool


class OnnxModel:
    """An ONNX model that scores rows, for any number of callers."""

    name = "onnxruntime"

    def __init__(self, signature: Signature, content: bytes) -> None:
        """Load a model and ask it for a few scores.

        Raises:
            ArtifactError: ONNX Runtime cannot read it, or its inputs or outputs are not the signature's.
        """
        self._signature = signature
        self._categories = [np.array([*one.categories, MISSING_TEXT], object) for one in signature.inputs]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _REFUSALS as error:
            raise ArtifactError(f"ONNX Runtime cannot read the model file: {_one_line(error)}") from None
        self._tensors = tuple(_tensors(signature, self._session.get_inputs()))
        self._output = _output(self._session.get_outputs())
        self.features = len(signature.inputs)
        self.outputs = self._try_out()

    def predict(self, matrix: Matrix) -> Matrix:
        """The predictions of a (rows, features) matrix: (rows,), or (rows, classes) for several classes.

        Raises:
            InputError: a tensor of whole numbers gets another value, or the model itself refuses the rows.
        """
        values = self._run(self._output, matrix).astype(np.float64)
        if values.ndim == 1:
            return values
        if values.shape[1] == 2 and self._signature.problem == BINARY:  # noqa: PLR2004 - of 0 and of 1
            return values[:, 1]
        return values[:, 0] if values.shape[1] == 1 else values

    def predict_row(self, row: OneRow) -> float:
        """The prediction of one row by a model of one output."""
        return float(self.predict(np.array([row], np.float64))[0])

    def _run(self, output: str, matrix: Matrix) -> NDArray[Any]:
        feeds = {tensor.name: self._feed(tensor, matrix) for tensor in self._tensors}
        try:
            (found,) = self._session.run([output], feeds)
        except _REFUSALS:
            raise InputError("the model itself refuses these rows") from None
        return np.asarray(found)

    def _feed(self, tensor: _Tensor, matrix: Matrix) -> NDArray[Any]:
        columns = [self._column(tensor.kind, matrix[:, place], place) for place in tensor.places]
        return columns[0] if tensor.flat else np.stack(columns, axis=1)

    def _column(self, kind: str, values: Matrix, place: int) -> NDArray[Any]:
        if kind == TEXT:
            texts = self._categories[place]
            return texts[np.where(np.isnan(values), len(texts) - 1, values).astype(np.int64)]
        if (largest := _LARGEST.get(kind)) is not None:
            wrong = ~(np.abs(values) < largest) | (values != np.floor(values))
            if wrong.any():
                field = self._signature.names[place]
                raise InputError("the model takes a whole number here", int(wrong.argmax()) + 1, field)
        with np.errstate(over="ignore"):
            return values.astype(NUMBERS[kind])

    def _try_out(self) -> int:
        """Values a row, found by asking; the model's labels, where it gives text, must be the signature's."""
        chance = np.random.default_rng(0)
        rows = np.floor(chance.normal(size=(_PROBES, self.features)) * 10)
        for place in self._signature.categorical:
            rows[:, place] = chance.integers(len(self._categories[place]) - 1 or 1, size=_PROBES)
        try:
            values = self.predict(rows)
            if values.shape[0] != _PROBES or values.ndim > 2:  # noqa: PLR2004 - rows and columns
                raise ArtifactError(
                    f"the model's output {self._output} has the shape {values.shape}, a row each expected"
                )
            if self._signature.problem != "regression" and (np.abs(values - 0.5) > 0.5 + _ROUNDING).any():
                raise ArtifactError(f"the model's output {self._output} is no probability: a classification gives some")
            if self._signature.problem == MULTICLASS and values.ndim == 2:  # noqa: PLR2004 - likewise
                self._check_labels(rows, values)
        except InputError as error:
            raise ArtifactError(f"the model cannot score a row: {error}") from None
        return 1 if values.ndim == 1 else values.shape[1]

    def _check_labels(self, rows: Matrix, values: Matrix) -> None:
        classes = self._signature.classes
        for output in self._session.get_outputs():
            if output.type == TEXT and len(classes) == values.shape[1]:
                likeliest = [classes[place] for place in values.argmax(axis=1)]
                for ours, theirs in zip(likeliest, self._run(output.name, rows).tolist(), strict=True):
                    if ours != theirs:
                        raise ArtifactError(f"the signature's classes stand in another order: {ours!r} is {theirs!r}")


def _tensors(signature: Signature, inputs: Any) -> Iterator[_Tensor]:  # noqa: ANN401 - ONNX Runtime has no types
    by_name = {one.name for one in inputs} == set(signature.names)
    first = 0
    for one in inputs:
        shape = one.shape
        if one.type not in NUMBERS and one.type != TEXT:
            raise ArtifactError(f"the model's input {one.name} is a {one.type}; this server fills numbers and text")
        if len(shape) not in (1, 2) or isinstance(shape[0], int):
            raise ArtifactError(f"the model's input {one.name} has the shape {shape}: export it as (any rows, inputs)")
        width = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None  # noqa: PLR2004 - rows, inputs
        if by_name:
            first, width = signature.names.index(one.name), 1
        width = width or (len(signature.inputs) if len(inputs) == 1 and len(shape) > 1 else 1)
        places = tuple(range(first, first + width))
        _check_places(signature, one, places)
        yield _Tensor(one.name, one.type, places, flat=len(shape) == 1)
        first += width
    if not by_name and first != len(signature.inputs):
        raise ArtifactError(f"the model takes {first} inputs, its signature has {len(signature.inputs)}")


def _check_places(signature: Signature, one: Any, places: tuple[int, ...]) -> None:  # noqa: ANN401 - as above
    if places[-1] >= len(signature.inputs):
        raise ArtifactError(f"the model takes {places[-1] + 1} inputs, its signature has {len(signature.inputs)}")
    if one.type == TEXT and (numeric := [place for place in places if place not in signature.categorical]):
        name = signature.names[numeric[0]]
        raise ArtifactError(f"the model's input {one.name} is text, but the signature's input {name} is numeric")


def _output(outputs: Any) -> str:  # noqa: ANN401 - as above
    if maps := [one.name for one in outputs if one.type.startswith("seq(map")]:
        raise ArtifactError(f"the model's output {maps[0]} is a list of maps: export it with zipmap=False")
    found: list[str] = [one.name for one in outputs if one.type in ("tensor(float)", "tensor(double)")]
    if len(found) != 1:
        raise ArtifactError(f"the model has {len(found)} outputs of numbers ({', '.join(found)}): export it with one")
    return found[0]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
