"""Arrow's IPC stream: its messages, schema, and columns as NumPy arrays over the request's own bytes.

Libraries that read Arrow trust what they read: nanoarrow dies within some hundred streams with wrong bytes, and any of
them decompresses a few megabytes to gigabytes. Here nothing is read outside of the body, and nothing is decompressed.
Source: https://arrow.apache.org/docs/format/Columnar.html, format/{Message,Schema}.fbs
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.contract import MAX_BODY_BYTES
from serving.core.errors import InputError
from serving.core.flatbuffer import FlatBufferError, Table, unpack

NULL, INT, FLOAT, UTF8, BOOL, LARGE_UTF8, UTF8_VIEW = 1, 2, 3, 5, 6, 20, 24
TEXTS: Final = (UTF8, LARGE_UTF8, UTF8_VIEW)
_SCHEMA, _DICTIONARY, _RECORDS = 1, 2, 3
_CONTINUATION: Final = 0xFFFFFFFF
_INTEGERS: Final = frozenset(f"<{sign}{width}" for sign in "iu" for width in (1, 2, 4, 8))
_FLOATS: Final = ("<f2", "<f4", "<f8")
MOST_VALUES: Final = MAX_BODY_BYTES
"""A few bytes can claim any number of missing values."""
_INLINE: Final = 12
"""Texts of at most so many bytes stand in their view itself."""


@dataclass(frozen=True)
class Field:
    """A column of the schema; `dictionary` is the id of the one that its values are indices into."""

    name: str
    kind: int
    number: str = ""
    dictionary: int | None = None
    index: str = ""


@dataclass
class Column:
    """The values of a column in one batch: numbers, or texts as bytes; at what `missing` marks they mean nothing."""

    values: NDArray[Any] | list[bytes]
    missing: NDArray[np.bool_]


@dataclass
class _Batch:
    """What a record batch or a dictionary's batch says of its body."""

    body: memoryview
    length: int
    nodes: Iterator[tuple[Any, ...]]
    buffers: Iterator[tuple[Any, ...]]
    views: Iterator[tuple[Any, ...]]

    @classmethod
    def read(cls, header: Table, body: memoryview) -> "_Batch":
        if header.table(3):
            raise InputError("the stream is compressed: write it without compression")
        vectors = (header.structs(1, "qq"), header.structs(2, "qq"), header.structs(4, "q"))
        return cls(body, header.scalar(0, "q"), *map(iter, vectors))

    def buffer(self) -> memoryview:
        start, length = next(self.buffers)
        if start < 0 or length < 0 or start + length > len(self.body):
            raise FlatBufferError("a buffer leads out of its message")
        return self.body[start : start + length]

    def array(self, kind: str, count: int) -> NDArray[Any]:
        content = self.buffer()
        return np.frombuffer(content, kind, count) if count else np.empty(0, kind)


@dataclass
class Stream:
    """A stream's schema, and the dictionaries that it has told so far."""

    fields: tuple[Field, ...] = ()
    dictionaries: dict[int, Column] = field(default_factory=dict)


def read_batches(body: bytes, names: frozenset[str]) -> Iterator[tuple[Stream, int, list[Column]]]:
    """Each record batch: the stream so far, the number of rows, and a column a field; a dictionary's as indices.

    Args:
        body: the stream.
        names: what its columns must be, in any order.

    Raises:
        InputError: not such a stream, cut short, compressed, other columns, or of another type than numbers and text.
    """
    stream = Stream()
    try:
        for kind, header, content in _messages(memoryview(body)):
            if kind == _SCHEMA:
                stream.fields = _fields(header, names)
            elif kind == _DICTIONARY:
                _keep_dictionary(stream, header, _Batch.read(_required(header.table(1)), content))
            elif kind == _RECORDS:
                batch = _Batch.read(header, content)
                _check_size(batch.length, stream)
                yield stream, batch.length, [_column(one, batch, batch.length) for one in stream.fields]
    except InputError:
        raise
    except (ValueError, OverflowError, StopIteration):
        raise InputError("the body is not an Arrow IPC stream, or is cut short") from None


def _check_size(rows: int, stream: Stream) -> None:
    if not stream.fields:
        raise FlatBufferError("there is no schema")
    if rows * len(stream.fields) > MOST_VALUES:
        raise InputError(f"the batch has more than {MOST_VALUES} values: send fewer rows")


def _messages(body: memoryview) -> Iterator[tuple[int, Table, memoryview]]:
    place = 0
    while place < len(body):
        mark, size = unpack(body, "<II", place)
        if mark != _CONTINUATION:
            raise FlatBufferError("a message does not begin with its mark")
        if size == 0:
            return
        start = place + 8
        message = Table.root(body[start : start + size])
        length = message.scalar(3, "q")
        place = start + size + length
        if length < 0 or place > len(body):
            raise FlatBufferError("a message is cut short")
        yield message.scalar(1, "B"), _required(message.table(2)), body[start + size : place]


def _fields(schema: Table, names: frozenset[str]) -> tuple[Field, ...]:
    found: dict[str, Field] = {}
    for one in map(_field, schema.tables(1)):
        if one.name not in names:
            raise InputError("the model has no such input", field=one.name[:40])
        if one.name in found:
            raise InputError("the column is there twice", field=one.name[:40])
        found[one.name] = one
    if absent := sorted(names - found.keys()):
        raise InputError("is absent; a column of missing values is null", field=absent[0][:40])
    return tuple(found.values())


def _required(table: Table | None) -> Table:
    if table is None:
        raise FlatBufferError("a message lacks a part")
    return table


def _field(one: Table) -> Field:
    name, kind = one.text(0), one.scalar(2, "B")
    encoding = one.table(4)
    if kind not in (NULL, INT, FLOAT, BOOL, *TEXTS):
        raise InputError("the column is of a type that is neither number nor text", field=name[:40])
    number = _number(kind, _required(one.table(3))) if kind in (INT, FLOAT) else ""
    if encoding is None:
        return Field(name, kind, number)
    index = encoding.table(1)
    return Field(name, kind, number, encoding.scalar(0, "q"), _number(INT, index) if index else "<i4")


def _number(kind: int, described: Table) -> str:
    if kind == FLOAT:
        return _FLOATS[described.scalar(0, "h") % len(_FLOATS)]
    number = f"<{'i' if described.scalar(1, '?') else 'u'}{described.scalar(0, 'i') // 8}"
    if number not in _INTEGERS:
        raise FlatBufferError("an integer of no width")
    return number


def _keep_dictionary(stream: Stream, header: Table, batch: _Batch) -> None:
    number = header.scalar(0, "q")
    if batch.length > len(batch.body):
        raise FlatBufferError("more values than bytes")
    described = next(one for one in stream.fields if one.dictionary == number)
    values = _column(Field(described.name, described.kind, described.number), batch, batch.length)
    if header.scalar(2, "?"):
        raise InputError("the stream's dictionaries grow: write whole ones", field=described.name[:40])
    stream.dictionaries[number] = values


def _column(one: Field, batch: _Batch, rows: int) -> Column:
    length, nulls = next(batch.nodes)
    if length != rows or rows < 0:
        raise FlatBufferError("columns differ in length")
    if one.kind == NULL and one.dictionary is None:
        return Column(np.zeros(rows), np.ones(rows, bool))
    validity = batch.buffer()
    missing = ~_bits(validity, rows) if nulls and len(validity) else np.zeros(rows, bool)
    if one.dictionary is not None:
        return Column(batch.array(one.index, rows), missing)
    if one.kind in (INT, FLOAT):
        return Column(batch.array(one.number, rows), missing)
    if one.kind == BOOL:
        return Column(_bits(batch.buffer(), rows), missing)
    return Column(_views(batch, rows) if one.kind == UTF8_VIEW else _texts(one.kind, batch, rows), missing)


def _bits(buffer: memoryview, rows: int) -> NDArray[np.bool_]:
    octets = np.frombuffer(buffer, np.uint8)
    if len(octets) * 8 < rows:
        raise FlatBufferError("too few bits")
    return np.unpackbits(octets, count=rows, bitorder="little").astype(bool)


def _texts(kind: int, batch: _Batch, rows: int) -> list[bytes]:
    offsets = batch.array("<i4" if kind == UTF8 else "<i8", rows + 1) if rows else np.zeros(1, np.int64)
    if not rows:
        batch.buffer()
    content = bytes(batch.buffer())
    if offsets[0] < 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(content):
        raise FlatBufferError("a text leads out of its buffer")
    places = offsets.tolist()
    return [content[start:end] for start, end in pairwise(places)]


def _views(batch: _Batch, rows: int) -> list[bytes]:
    views = bytes(batch.buffer()[: 16 * rows])
    (count,) = next(batch.views)
    contents = [bytes(batch.buffer()) for _ in range(count)]
    heads = np.frombuffer(views, "<i4", 4 * rows).reshape(rows, 4)
    if heads[:, 0].sum(dtype=np.int64) > MOST_VALUES:
        raise InputError(f"the texts of a column have more than {MOST_VALUES} bytes: send fewer rows")
    texts = []
    for row, (length, _, buffer, start) in enumerate(heads.tolist()):
        if 0 <= length <= _INLINE:
            texts.append(views[16 * row + 4 : 16 * row + 4 + length])
        elif length > 0 <= start and 0 <= buffer < len(contents) and start + length <= len(contents[buffer]):
            texts.append(contents[buffer][start : start + length])
        else:
            raise FlatBufferError("a text leads out of its buffer")
    return texts
