"""FlatBuffers, as far as Arrow's messages need them: tables, vectors and text, read within bounds or not at all.

Source: https://flatbuffers.dev/internals/
"""

import struct
from collections.abc import Iterator
from typing import Any


class FlatBufferError(ValueError):
    """Bytes that lead outside of themselves."""


class Table:
    """One table of a buffer; a field is asked for by its place in the schema."""

    def __init__(self, buffer: memoryview, place: int) -> None:
        self._buffer = buffer
        self._place = place
        self._fields = place - unpack(buffer, "<i", place)[0]
        self._size = unpack(buffer, "<H", self._fields)[0]

    @classmethod
    def root(cls, buffer: memoryview) -> "Table":
        """The table that a buffer begins with."""
        return cls(buffer, unpack(buffer, "<I", 0)[0])

    def scalar(self, field: int, kind: str, default: int = 0) -> int:
        """A number of one of struct's kinds; the default where the table leaves it out."""
        place = self._at(field)
        return default if place is None else int(unpack(self._buffer, f"<{kind}", place)[0])

    def table(self, field: int) -> "Table | None":
        """A table within; None where there is none."""
        place = self._at(field)
        return None if place is None else Table(self._buffer, self._target(place))

    def text(self, field: int) -> str:
        """A text; empty where there is none."""
        place, count = self._vector(field)
        content = self._buffer[place : place + count]
        if len(content) != count:
            raise FlatBufferError("a text is cut short")
        return bytes(content).decode("utf-8", "replace")

    def tables(self, field: int) -> Iterator["Table"]:
        """The tables of a vector."""
        place, count = self._vector(field)
        for item in range(place, place + 4 * count, 4):
            yield Table(self._buffer, self._target(item))

    def structs(self, field: int, kind: str) -> list[tuple[Any, ...]]:
        """A vector of structs, or of numbers, each as struct's kind unpacks it."""
        place, count = self._vector(field)
        size = struct.calcsize(f"<{kind}")
        content = self._buffer[place : place + count * size]
        if len(content) != count * size:
            raise FlatBufferError("a vector is cut short")
        return list(struct.iter_unpack(f"<{kind}", content))

    def _at(self, field: int) -> int | None:
        entry = 4 + 2 * field
        offset = unpack(self._buffer, "<H", self._fields + entry)[0] if entry < self._size else 0
        return self._place + offset if offset else None

    def _target(self, place: int) -> int:
        return place + int(unpack(self._buffer, "<I", place)[0])

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._at(field)
        if place is None:
            return 0, 0
        start = self._target(place)
        return start + 4, int(unpack(self._buffer, "<I", start)[0])


def unpack(buffer: memoryview, kind: str, place: int) -> tuple[Any, ...]:
    """As struct's `unpack_from`, which would take a negative place for one from the end.

    Raises:
        FlatBufferError: the place is not in the buffer.
    """
    if place < 0:
        raise FlatBufferError("an offset leads before the buffer")
    try:
        return struct.unpack_from(kind, buffer, place)
    except struct.error:
        raise FlatBufferError("an offset leads behind the buffer") from None
