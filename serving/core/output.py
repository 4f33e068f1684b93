"""Scores to CSV, JSON and JSON Lines."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from serving.contract import CSV, JSON, JSON_LINES
from serving.core.signature import SCORE

Label = Callable[[float], int | None]
LABEL: Final = "label"
PREDICTIONS: Final = "predictions"


def render(scores: Sequence[float], label: Label, content_type: str) -> bytes:
    """Scores in one of `serving.contract`'s content types.

    CSV has a score a line. JSON is `{"predictions": [{"score": …, "label": …}]}`, JSON Lines one such object a line;
    without a label for a regression. Every score is written in the digits that read back as the same float64.
    """
    if content_type == CSV:
        return "".join(f"{score!r}\n" for score in scores).encode()
    predictions = [_prediction(score, label(score)) for score in scores]
    if content_type == JSON:
        return orjson.dumps({PREDICTIONS: predictions})
    if content_type == JSON_LINES:
        return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in predictions)
    raise KeyError(content_type)


def _prediction(score: float, label: int | None) -> dict[str, Any]:
    return {SCORE: score} if label is None else {SCORE: score, LABEL: label}
