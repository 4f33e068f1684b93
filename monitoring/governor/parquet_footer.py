"""How many rows a Parquet file has, as its footer says; by the standard library, which is all that a function has.

The footer is a struct in Thrift's compact protocol, `FileMetaData`, before the file's last eight bytes, which are its
length and a magic word. Everything before the number of rows is skipped, and nothing after it is looked at.
Source: https://github.com/apache/parquet-format (README.md, src/main/thrift/parquet.thrift), and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"PAR1"
END_BYTES: Final = 8
"""The footer's length and the magic word."""
NUMBER_OF_ROWS: Final = 3
"""The field's number in `FileMetaData`."""
STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)
LONGEST_VARINT_BYTES: Final = 10
MORE: Final = 0x80
"""The bit by which a number's byte says that another follows."""
COUNT_FOLLOWS: Final = 15
"""In place of a list's own count."""


def footer_bytes(end: bytes) -> int:
    """How long the footer is, by the end of its file.

    Raises:
        ValueError: that is no Parquet file's end, or the footer is encrypted.
    """
    if len(end) < END_BYTES or not end.endswith(MAGIC):
        raise ValueError("does not end as a Parquet file does")
    return int.from_bytes(end[-END_BYTES : -len(MAGIC)], "little")


def rows_of(footer: bytes) -> int:
    """The number of rows that a footer tells of; it may be cut off anywhere behind that number.

    Raises:
        ValueError: it is none, or it tells of no number of rows.
    """
    reader = _Reader(footer)
    try:
        for field, kind in reader.fields():
            if (field, kind) == (NUMBER_OF_ROWS, I64):
                return _counted(reader.integer())
            reader.skip(kind)
    except (IndexError, RecursionError):
        raise ValueError("is no Parquet footer") from None
    raise ValueError("tells of no number of rows")


def _counted(rows: int) -> int:
    if rows < 0:
        raise ValueError(f"tells of {rows} rows")
    return rows


class _Reader:
    """Reads what it is asked for, in the order in which it stands there.

    Raises:
        IndexError: there is no more.
        ValueError: it is not of this protocol.
    """

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Each field's number and type; whoever asks for the next one has read or skipped the value."""
        field = 0
        while (head := self._byte()) != STOP:
            field = field + (head >> 4) if head >> 4 else self.integer()
            yield field, head & 0x0F

    def integer(self) -> int:
        """A whole number, whose sign is its last bit."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int) -> None:
        """Pass over a field's value."""
        if kind == BYTE:
            self._pass(1)
        elif kind in {I16, I32, I64}:
            self._varint()
        elif kind == DOUBLE:
            self._pass(8)
        elif kind == BINARY:
            self._pass(self._varint())
        elif kind in {LIST, SET}:
            self._skip_list()
        elif kind == MAP:
            self._skip_map()
        elif kind == STRUCT:
            for _, inner in self.fields():
                self.skip(inner)
        elif kind not in {TRUE, FALSE}:  # a field's type is its truth
            raise ValueError(f"has a value of type {kind}, which Parquet knows none of")

    def _skip_list(self) -> None:
        head = self._byte()
        count = self._varint() if head >> 4 == COUNT_FOLLOWS else head >> 4
        for _ in range(count):
            self._skip_element(head & 0x0F)

    def _skip_map(self) -> None:
        if count := self._varint():
            kinds = self._byte()
            for _ in range(count):
                self._skip_element(kinds >> 4)
                self._skip_element(kinds & 0x0F)

    def _skip_element(self, kind: int) -> None:
        """Unlike a field's, an element's truth is a byte of its own."""
        self.skip(BYTE if kind in {TRUE, FALSE} else kind)

    def _varint(self) -> int:
        value = 0
        for place in range(LONGEST_VARINT_BYTES):
            byte = self._byte()
            value |= (byte & ~MORE) << (7 * place)
            if not byte & MORE:
                return value
        raise ValueError("has a number of more than ten bytes")

    def _byte(self) -> int:
        byte = self._content[self._at]
        self._at += 1
        return byte

    def _pass(self, count: int) -> None:
        self._at += count
        if self._at > len(self._content):
            raise IndexError("passes the end")
