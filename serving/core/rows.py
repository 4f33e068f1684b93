"""From a row's fields, text or JSON values, to the model's floats: the one place where a value gets its code."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import orjson

from serving.core.booster import Matrix
from serving.core.errors import InputError
from serving.core.signature import Input, Signature

NAN: Final = math.nan
_OF_NUMBERS: Final = b"0123456789+-.eE,\n "
_NUMBERS: Final = frozenset({int, float})
_SHOWN: Final = 40
"""Characters of a wrong value that an error repeats."""


Values = list[list[float]] | Matrix


@dataclass
class Rows:
    """Rows ready to be scored.

    Attributes:
        values: a list of floats a row, or a matrix, in the signature's order; NaN where missing, or of an unknown
            category.
        unknown: by categorical input, how many values are of no category seen in training.
    """

    values: Values
    unknown: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def matrix(self) -> Matrix:
        """The rows as a (rows, inputs) matrix."""
        return np.asarray(self.values, dtype=np.float64)


class RowEncoder:
    """Encodes rows for one signature, and counts values of unknown categories into `unknown`, by input."""

    def __init__(self, signature: Signature) -> None:
        self._inputs = signature.inputs
        self.numeric = all(one.type == "numeric" for one in self._inputs)
        """Whether no input is categorical."""
        self._names = frozenset(signature.names)
        self._codes: dict[str, Mapping[bytes, float]] = {
            one.name: {text.encode(): float(code) for code, text in enumerate(one.categories)} for one in self._inputs
        }
        self._quick: tuple[Callable[[bytes], float], ...] = tuple(
            float if one.type == "numeric" else self._codes[one.name].__getitem__ for one in self._inputs
        )

    def plain_numbers(self, body: bytes) -> list[list[float]] | None:
        """Rows of CSV that are all numbers as JSON writes them, ten times as fast; None if anything asks for care."""
        if body.translate(None, _OF_NUMBERS):
            return None
        try:
            rows: list[list[float]] = orjson.loads(b"[[%b]]" % body.removesuffix(b"\n").replace(b"\n", b"],["))
        except orjson.JSONDecodeError:
            return None
        return rows if set(map(len, rows)) == {len(self._inputs)} else None

    def plain_text(self, fields: Sequence[bytes], row: int, unknown: Counter[str]) -> list[float]:
        """Like `text`, but faster, for fields that have no underscore."""
        try:
            return [encode(value) for encode, value in zip(self._quick, fields, strict=True)]
        except (ValueError, KeyError):
            return self.text(fields, row, unknown)

    def text(self, fields: Sequence[bytes], row: int, unknown: Counter[str]) -> list[float]:
        """A row of CSV fields (UTF-8) in the signature's order; an empty field is missing.

        Raises:
            InputError: too few or too many fields, or text in a number.
        """
        if len(fields) != len(self._inputs):
            raise self._wrong_length(len(fields), row)
        return [self._field(one, value, row, unknown) for one, value in zip(self._inputs, fields, strict=True)]

    def json(self, value: object, row: int, unknown: Counter[str]) -> list[float]:
        """A JSON array in the signature's order, or an object by name; null is missing.

        Raises:
            InputError: neither, too few or too many values, an unknown or absent name, text in a number.
        """
        if isinstance(value, dict):
            value = self._in_order(value, row)
        if not isinstance(value, list):
            raise InputError("a row is a list of values, or an object by name", row)
        if len(value) != len(self._inputs):
            raise self._wrong_length(len(value), row)
        if self.numeric and _NUMBERS.issuperset(map(type, value)):
            with suppress(OverflowError):
                return list(map(float, value))
        return [self._json_value(one, item, row, unknown) for one, item in zip(self._inputs, value, strict=True)]

    def _wrong_length(self, length: int, row: int) -> InputError:
        return InputError(f"has {length} fields, the model takes {len(self._inputs)}", row)

    def _in_order(self, record: dict[str, object], row: int) -> list[object]:
        for name in record:
            if name not in self._names:
                raise InputError("the model has no such input", row, name[:_SHOWN])
        for one in self._inputs:
            if one.name not in record:
                raise InputError("is absent; a missing value is null", row, one.name)
        return [record[one.name] for one in self._inputs]

    def _field(self, one: Input, value: bytes, row: int, unknown: Counter[str]) -> float:
        if not value or (one.type == "numeric" and value.isspace()):
            return NAN
        if one.type == "categorical":
            return self._code(one, value, unknown)
        try:
            if b"_" not in value:
                return float(value)
        except ValueError:
            pass
        raise InputError(f"expected a number, got {value[:_SHOWN].decode('utf-8', 'replace')!r}", row, one.name)

    def _json_value(self, one: Input, value: object, row: int, unknown: Counter[str]) -> float:
        if value is None:
            return NAN
        if one.type == "categorical":
            return self._json_category(one, value, row, unknown)
        if isinstance(value, int | float):
            return _as_float(value)
        raise InputError(f"expected a number, got {_describe(value)}", row, one.name)

    def _json_category(self, one: Input, value: object, row: int, unknown: Counter[str]) -> float:
        if isinstance(value, str):
            return self._code(one, value.encode(), unknown) if value else NAN
        if isinstance(value, int) and not isinstance(value, bool):
            return self._code(one, b"%d" % value, unknown)
        raise InputError(f"expected a category as text, got {_describe(value)}", row, one.name)

    def _code(self, one: Input, value: bytes, unknown: Counter[str]) -> float:
        code = self._codes[one.name].get(value)
        if code is None:
            unknown[one.name] += 1
            return NAN
        return code


def _as_float(value: float) -> float:
    """A JSON number as the float64 nearest to it, which for a huge one is an infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _describe(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value[:_SHOWN]!r}"
        case int() | float():
            return f"the number {value!r:.{_SHOWN}}"
        case _:
            return "an object" if isinstance(value, dict) else "a list"
