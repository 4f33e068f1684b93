"""Labels that arrive late, joined to captured answers by inference id (or event id).

A line of a ground truth file is Model Monitor's: `{"groundTruthData": {"data": "1", "encoding": "CSV"},
"eventMetadata": {"eventId": "…"}, "eventVersion": "0"}`, with a label a line where a request had several rows.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
import polars as pl

from monitoring.decode import Refused, decode_scores

NOT_A_LABEL: Final = "the line is not a ground truth record"
NOT_BINARY: Final = "a label is not 0 or 1"
NOT_A_PROBABILITY: Final = "a score is not from 0 to 1"
NO_OUTPUT: Final = "the record has no output"
NO_ID: Final = "the record has neither inferenceId nor eventId"
TWICE: Final = "the id was seen before"
UNEQUAL: Final = "labels and predictions differ in number"
Keyed = dict[str, list[float]]
"""One value a row of the request, by its id."""


def add_answers(records: pl.DataFrame, problem: str, answers: Keyed, reasons: Counter[str]) -> None:
    """Add captured records' scores to `answers`; what cannot be used is counted in `reasons`."""
    for id_, output_type, output in records.select("id", "output_type", "output").iter_rows():
        try:
            _add(answers, id_, _scores(output_type, output, problem))
        except Refused as refusal:
            reasons[str(refusal)] += 1


def add_labels(file: bytes, problem: str, labels: Keyed, reasons: Counter[str]) -> int:
    """Add a ground truth file's labels to `labels`; what cannot be used is counted in `reasons`.

    Returns:
        How many lines there were.
    """
    lines = [line for line in file.splitlines() if line.strip()]
    for line in lines:
        try:
            _add(labels, *_label(line, problem))
        except Refused as refusal:
            reasons[str(refusal)] += 1
    return len(lines)


class Joined(NamedTuple):
    """A request's labels and scores, a row each."""

    id: str
    labels: list[float]
    scores: list[float]


def joined(answers: Keyed, labels: Keyed, reasons: Counter[str]) -> Iterator[Joined]:
    """Each request that has both, in the order of the answers."""
    for id_, scores in answers.items():
        if (known := labels.get(id_)) is None:
            continue
        if len(known) != len(scores):
            reasons[UNEQUAL] += 1
        else:
            yield Joined(id_, known, scores)


def _add(to: Keyed, id_: object, values: list[float]) -> None:
    if not isinstance(id_, str) or not id_:
        raise Refused(NO_ID)
    if id_ in to:
        raise Refused(TWICE)
    to[id_] = values


def _scores(output_type: str | None, output: str | None, problem: str) -> list[float]:
    if output is None or output_type is None:
        raise Refused(NO_OUTPUT)
    scores: list[float] = decode_scores(output_type, [output]).to_list()
    return _checked(scores, problem, lambda score: 0 <= score <= 1, NOT_A_PROBABILITY)


def _label(line: bytes, problem: str) -> tuple[str, list[float]]:
    try:
        record: dict[str, Any] = orjson.loads(line)
        id_, text = record["eventMetadata"]["eventId"], record["groundTruthData"]["data"]
        labels = [float(label) for label in text.strip().split("\n")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(NOT_A_LABEL) from error
    return id_, _checked(labels, problem, lambda label: label in {0, 1}, NOT_BINARY)


def _checked(values: Sequence[float], problem: str, allowed: Any, reason: str) -> list[float]:  # noqa: ANN401
    if any(value is None or not math.isfinite(value) for value in values):
        raise Refused(reason)
    if problem == "binary-classification" and not all(map(allowed, values)):
        raise Refused(reason)
    return list(values)
