"""Scores to CSV, JSON, JSON Lines, NumPy's format and Arrow."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from serving.contract import ARROW, CSV, JSON, JSON_LINES, NPY
from serving.core.errors import InputError
from serving.core.predictor import Predictions
from serving.core.signature import SCORE

Label = Callable[[float], int | None]
LABEL: Final = "label"
PROBABILITIES: Final = "probabilities"
PREDICTIONS: Final = "predictions"
SCORE_AND_LABEL: Final = "score"
_LINES: Final = bytes.maketrans(b",]", b"\n\n")
OUTPUTS: Final = (SCORE_AND_LABEL, LABEL, PROBABILITIES)


def render(scores: Sequence[float], label: Label, content_type: str) -> bytes:
    """Scores in one of `serving.contract`'s content types.

    CSV has a score a line. JSON is `{"predictions": [{"score": …, "label": …}]}`, JSON Lines one such object a line;
    without a label for a regression. Arrow has a batch with these columns. Every score is written in the digits that
    read back as the same float64.
    """
    if content_type == CSV:
        lines = orjson.dumps(scores).translate(_LINES, b"[")
        return lines if b"null" not in lines else _csv(scores)  # JSON has no word for what is not finite
    if content_type == NPY:
        return _npy(scores)
    if content_type == ARROW:
        labels = [one for score in scores if (one := label(score)) is not None]
        return _arrow({SCORE: scores, LABEL: labels} if labels else {SCORE: scores})
    return _objects([_prediction(score, label(score)) for score in scores], content_type)


def render_as_asked(
    predictions: Predictions,
    content_type: str,
    *,
    output: str,
    contributions: Sequence[dict[str, object]] | None = None,
) -> bytes:
    """Predictions as one of OUTPUTS, each with its inputs' contributions if they are given.

    Raises:
        InputError: labels of a regression, or contributions in a format that has no place for them.
    """
    columns: dict[str, Sequence[object] | None] = {
        SCORE_AND_LABEL: predictions.scores, LABEL: predictions.labels, PROBABILITIES: predictions.probabilities
    }  # fmt: skip
    if (column := columns[output]) is None:
        raise InputError(f"the model is a regression: it has no {output}, only scores")
    if contributions and content_type not in (JSON, JSON_LINES):
        raise InputError(f"explanations need an answer in {JSON} or {JSON_LINES}: ask for one by Accept")
    if content_type == NPY:
        return _npy(column)
    if content_type == CSV:
        return _csv(column)
    shown = {output: column}
    if output == SCORE_AND_LABEL and predictions.labels is not None:
        shown[LABEL] = predictions.labels
    if content_type == ARROW:
        return _arrow(shown)
    documents = [dict(zip(shown, values, strict=True)) for values in zip(*shown.values(), strict=True)]
    for document, contribution in zip(documents, contributions or (), strict=False):
        document.update(contribution)
    return _objects(documents, content_type)


def _objects(documents: list[dict[str, Any]], content_type: str) -> bytes:
    if content_type == JSON:
        return orjson.dumps({PREDICTIONS: documents})
    if content_type == JSON_LINES:
        return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in documents)
    raise KeyError(content_type)


def _prediction(score: float, label: int | None) -> dict[str, Any]:
    return {SCORE: score} if label is None else {SCORE: score, LABEL: label}


def _csv(values: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(value if isinstance(value, list) else [value] for value in values)
    return text.getvalue().encode()


def _arrow(columns: Mapping[str, Sequence[object]]) -> bytes:
    from serving.core.arrow import write_stream  # noqa: PLC0415 - for those who ask for it

    return write_stream(columns)


def _npy(values: Sequence[object]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values), allow_pickle=False)
    return file.getvalue()
