"""Request bodies to rows. Every reader refuses what it cannot read with the row and field at fault."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson

from serving.contract import ARROW, CSV, JSON, JSON_LINES, NPY
from serving.core.booster import Matrix
from serving.core.errors import InputError
from serving.core.rows import RowEncoder, Rows, Values
from serving.core.signature import Signature

if TYPE_CHECKING:
    from serving.core.arrow import ArrowReader

INSTANCES: Final = "instances"
COLUMNS: Final = "columns"
_MATRIX_DIMENSIONS: Final = 2
Reader = Callable[[bytes, Counter[str]], Values]
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class RowParser:
    """Reads request bodies for one signature; any number of threads may."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._encoder = RowEncoder(signature)
        self._header = [name.encode() for name in signature.names]
        self._readers: dict[str, Reader] = {
            CSV: self._csv,
            JSON: self._json,
            JSON_LINES: self._json_lines,
            NPY: self._npy,
            ARROW: self._arrow,
        }

    def parse(self, body: bytes, content_type: str) -> Rows:
        """Read a body of one of `serving.contract`'s content types.

        CSV has a row a line in the signature's order, and may begin with a header line equal to the inputs' names. JSON
        is a list of rows, or an object with `instances`; a row is a list in the signature's order or an object by name;
        or it is an object with `columns`, an object of equally long lists by name. JSON Lines has such a row a line.
        NumPy's format has a matrix of numbers, (rows, inputs), for models without categories. Arrow has a column an
        input, in any order.

        Raises:
            InputError: what is wrong, with the row and field at fault.
            KeyError: another content type.
        """
        reader = self._readers[content_type]
        if not body or body.isspace():
            raise InputError("the body is empty")
        unknown: Counter[str] = Counter()
        return Rows(reader(body, unknown), unknown)

    def _csv(self, body: bytes, unknown: Counter[str]) -> list[list[float]]:
        _check_utf8(body)
        body = body.removeprefix(_BYTE_ORDER_MARK)
        if self._encoder.numeric and (rows := self._encoder.plain_numbers(body)):
            return rows
        records = _plain(body) if b'"' not in body else _quoted(body)
        if records[0] == self._header:
            del records[0]
            if not records:
                raise InputError("the body has a header and no rows")
        # float() takes the underscores of Python's own literals, which no CSV writer means.
        encode = self._encoder.plain_text if b"_" not in body else self._encoder.text
        return [encode(fields, row, unknown) for row, fields in enumerate(records, 1)]

    def _json(self, body: bytes, unknown: Counter[str]) -> list[list[float]]:
        document = _load(body, None)
        if isinstance(document, dict):
            if len(document) != 1 or not document.keys() <= {INSTANCES, COLUMNS}:
                raise InputError(f'expected a list of rows, or an object with the one key "{INSTANCES}" or "{COLUMNS}"')
            document = document[INSTANCES] if INSTANCES in document else _records(document[COLUMNS])
        if not isinstance(document, list):
            raise InputError(f'expected a list of rows, or {{"{INSTANCES}": [...]}}')
        if not document:
            raise InputError("there are no rows")
        return [self._encoder.json(value, row, unknown) for row, value in enumerate(document, 1)]

    def _json_lines(self, body: bytes, unknown: Counter[str]) -> list[list[float]]:
        return [self._encoder.json(_load(line, row), row, unknown) for row, line in enumerate(_lines(body), 1)]

    def _arrow(self, body: bytes, unknown: Counter[str]) -> Values:
        return self._arrow_reader.read(body, unknown)

    @cached_property
    def _arrow_reader(self) -> "ArrowReader":
        from serving.core.arrow import ArrowReader  # noqa: PLC0415 - for those who ask for it

        return ArrowReader(self._signature)

    def _npy(self, body: bytes, _unknown: Counter[str]) -> Matrix:
        if not self._encoder.numeric:
            raise InputError(f"the model takes categories as text, for which {NPY} has no place")
        try:
            matrix = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
        except (ValueError, OSError, EOFError, SyntaxError, MemoryError, OverflowError, RecursionError):
            raise InputError("the body is not a NumPy array") from None
        if matrix.dtype.kind not in "fiu":
            raise InputError("the body is not a NumPy array of numbers")
        width = len(self._header)
        if matrix.ndim != _MATRIX_DIMENSIONS or matrix.shape[1] != width or not len(matrix):
            raise InputError(f"the array's shape is {matrix.shape}, expected (rows, {width})")
        return matrix.astype(np.float64)


def _records(columns: object) -> list[dict[str, object]]:
    if not isinstance(columns, dict) or not columns or not all(isinstance(one, list) for one in columns.values()):
        raise InputError(f'"{COLUMNS}" must be an object of lists, one an input')
    lengths = {name: len(values) for name, values in columns.items()}
    longest = max(lengths.values())
    if short := next((name for name, length in lengths.items() if length != longest), None):
        raise InputError(f"the column has {lengths[short]} values, another has {longest}", field=short[:40])
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _lines(body: bytes) -> list[bytes]:
    """The lines of a body that is not empty; a newline at the end begins no further one."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    return body.removesuffix(b"\n").split(b"\n")


def _plain(body: bytes) -> list[list[bytes]]:
    """Records of CSV without quotes: the usual case, and the fast one."""
    lines = _lines(body)
    if b"\r" in body and (row := next((row for row, line in enumerate(lines, 1) if b"\r" in line), None)):
        raise InputError("has a carriage return without a line feed", row)
    return [line.split(b",") for line in lines]


def _quoted(body: bytes) -> list[list[bytes]]:
    """Records of CSV with quotes (RFC 4180); a blank line is a record of one empty field."""
    reader = csv.reader(io.StringIO(body.decode(), newline="\n"), strict=True)
    records: list[list[bytes]] = []
    try:
        records.extend([field.encode() for field in record] or [b""] for record in reader)
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", len(records) + 1) from None
    return records


def _check_utf8(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        row = body.count(b"\n", 0, error.start) + 1
        raise InputError("is not UTF-8", row) from None


def _load(text: bytes, row: int | None) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg}" if row else f"the body is not JSON: {error}"
    if (b"NaN" in text or b"Infinity" in text) and not _SURROGATE.search(text):
        # Python's own json writes these, so its users send them.
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    raise InputError(reason, row)
