"""Captured payloads as columns: CSV, JSON and JSON Lines bodies of many requests, decoded together.

Decoders are strict and take many bodies at once; `accepted` finds the few that break a rule by halving, so that a
window of sound records costs one call, and each bad one a few more.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import orjson
import polars as pl

from serving.contract import CSV, JSON, JSON_LINES

CONTENT_TYPES: Final = (CSV, JSON, JSON_LINES)
Item = TypeVar("Item")
Decoded = TypeVar("Decoded")

NOT_JSON: Final = "the body is not JSON of the form that the endpoint takes"
WRONG_FIELDS: Final = "the number of fields differs from the model's inputs"
WRONG_VALUE: Final = "a value is not of its feature's type"
BAD_PREDICTION: Final = "the prediction cannot be read"


class Refused(Exception):  # noqa: N818 - a verdict on a record, counted and reported
    """A body that cannot be read; the message is the reason, worded for counting alike cases together."""


def accepted(
    items: Sequence[Item], decode: Callable[[Sequence[Item]], Decoded]
) -> tuple[list[Decoded], list[tuple[Item, Refused]]]:
    """Decode all items together; where that fails, halve until the culprits stand alone.

    Returns:
        What was decoded, in order, in as few pieces as the culprits allow; and each item left out, with its refusal.
    """
    if not items:
        return [], []
    try:
        return [decode(items)], []
    except Refused as refusal:
        if len(items) == 1:
            return [], [(items[0], refusal)]
    middle = len(items) // 2
    first, first_refused = accepted(items[:middle], decode)
    second, second_refused = accepted(items[middle:], decode)
    return first + second, first_refused + second_refused


def decode_rows(content_type: str, bodies: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    """Request bodies as a frame: one row a row sent, one column an input, in the signature's order.

    Raises:
        Refused: any of the bodies breaks a rule.
    """
    if content_type == CSV:
        return _csv_rows(bodies, schema)
    return _json_rows(_documents(content_type, bodies, "instances"), schema)


def decode_scores(content_type: str, bodies: Sequence[str]) -> pl.Series:
    """Response bodies as scores, one a row.

    Raises:
        Refused: any of the bodies breaks a rule.
    """
    try:
        if content_type == CSV:
            scores: list[Any] = "\n".join(body.rstrip("\r\n") for body in bodies).split("\n")
            return pl.Series("score", scores, dtype=pl.String).cast(pl.Float64)
        predictions = _documents(content_type, bodies, "predictions")
        scores = [one["score"] if isinstance(one, dict) else one for one in predictions]
        return pl.Series("score", scores, dtype=pl.Float64)
    except (pl.exceptions.PolarsError, Refused, KeyError, TypeError) as error:
        raise Refused(BAD_PREDICTION) from error


def _csv_rows(bodies: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    header = ",".join(schema) + "\n"
    text = "\n".join(body.rstrip("\r\n").replace("\r\n", "\n").removeprefix(header) for body in bodies)
    rows = text.split("\n")
    # The reader fills short rows up with nulls and forgives a comma at the end, so fields are counted here.
    if '"' not in text and (pl.Series(rows).str.count_matches(",", literal=True) == len(schema) - 1).all():
        # A header, for a text that begins with `x^` would be taken for a compressed one.
        with suppress(pl.exceptions.PolarsError):
            return pl.read_csv((header + text).encode(), schema=schema)
    try:
        return _text_rows([record or [""] for record in csv.reader(io.StringIO(text, newline=""), strict=True)], schema)
    except csv.Error as error:
        raise Refused(WRONG_FIELDS) from error


def _text_rows(records: Sequence[Sequence[str]], schema: pl.Schema) -> pl.DataFrame:
    """What the quick reader does not take: quotes, blanks around numbers; or whatever is wrong."""
    if not records or any(len(record) != len(schema) for record in records):
        raise Refused(WRONG_FIELDS)
    columns = [
        pl.Series(name, column, dtype=pl.String).replace("", None)
        for name, column in zip(schema, zip(*records, strict=True), strict=True)
    ]
    try:
        numbers = {name for name, kind in schema.items() if kind == pl.Float64}
        return pl.DataFrame(
            [
                each.str.strip_chars().replace("", None).cast(pl.Float64) if each.name in numbers else each
                for each in columns
            ]
        )
    except pl.exceptions.PolarsError as error:
        raise Refused(WRONG_VALUE) from error


def _json_rows(rows: Sequence[Any], schema: pl.Schema) -> pl.DataFrame:
    names = schema.names()
    if not all(_has_fields(row, schema) for row in rows):
        raise Refused(WRONG_FIELDS)
    columns = [[row[name] if isinstance(row, dict) else row[place] for row in rows] for place, name in enumerate(names)]
    try:
        return pl.DataFrame(
            [_json_column(name, column, schema[name]) for name, column in zip(names, columns, strict=True)]
        )
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise Refused(WRONG_VALUE) from error


def _has_fields(row: object, schema: pl.Schema) -> bool:
    if isinstance(row, dict):
        return row.keys() == schema.keys()
    return isinstance(row, list) and len(row) == len(schema)


def _json_column(name: str, values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    if kind == pl.String:
        # As in serving: a whole number is a category's name.
        values = [str(value) if type(value) is int else value for value in values]
    return pl.Series(name, values, dtype=kind)


def _documents(content_type: str, bodies: Sequence[str], key: str) -> list[Any]:
    if content_type == JSON_LINES:
        return _load("[" + ",".join(line for body in bodies for line in body.split("\n") if line.strip()) + "]", key)
    return [one for body in bodies for one in _load(body, key)]


def _load(text: str, key: str) -> list[Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = _load_with_nan(text)
    found = document.get(key) if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise Refused(NOT_JSON)
    return found


def _load_with_nan(text: str) -> object:
    """As serving reads it: Python's own json writes NaN and Infinity, so its users send them."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(NOT_JSON) from error
