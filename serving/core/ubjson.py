"""Universal Binary JSON, as far as XGBoost writes it: the reader.

Source: https://ubjson.org/type-reference/; XGBoost's src/common/json.cc, class UBJReader.
"""

from typing import Any, Final

import numpy as np

MAX_DEPTH: Final = 64
_NUMBERS: Final = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_CONSTANTS: Final = {b"T": True, b"F": False, b"Z": None}


def loads(text: bytes) -> object:
    """Read one value; arrays of one type of number become NumPy arrays.

    Raises:
        ValueError: not UBJSON, cut short, nested more than MAX_DEPTH deep, or followed by something.
    """
    reader = _Reader(text)
    value = reader.value(reader.take(1), 0)
    if reader.place != len(text):
        raise ValueError(f"something follows the document at byte {reader.place}")
    return value


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self.place = 0

    def take(self, length: int) -> bytes:
        part = self._text[self.place : self.place + length]
        if length < 0 or len(part) < length:
            raise ValueError(f"it is cut short at byte {self.place}")
        self.place += length
        return part

    def value(self, kind: bytes, depth: int) -> Any:  # noqa: ANN401 - any JSON value
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        if kind in _NUMBERS:
            return self._numbers(kind, 1)[0].item()
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        match kind:
            case b"S":
                return self._string()
            case b"C":
                return self.take(1).decode("ascii")
            case b"[":
                return self._array(depth + 1)
            case b"{":
                return self._object(depth + 1)
        raise ValueError(f"byte {self.place - 1} is no type: {kind!r}")

    def _length(self) -> int:
        length = self.value(self.take(1), MAX_DEPTH)
        if type(length) is not int or length < 0:
            raise ValueError(f"a length at byte {self.place} is {length!r:.40}")
        return length

    def _string(self) -> str:
        return self.take(self._length()).decode()

    def _numbers(self, kind: bytes, count: int) -> np.ndarray[Any, Any]:
        number = np.dtype(_NUMBERS[kind])
        return np.frombuffer(self.take(count * number.itemsize), number)

    def _array(self, depth: int) -> Any:  # noqa: ANN401 - a list or an array
        marker = self.take(1)
        if marker == b"$":
            kind, hash_sign = self.take(1), self.take(1)
            if hash_sign != b"#" or kind not in _NUMBERS:
                raise ValueError(f"an array of one type at byte {self.place} has no length, or is of no numbers")
            return self._numbers(kind, self._length())
        if marker == b"#":
            return [self.value(self.take(1), depth) for _ in range(self._length())]
        values = []
        while marker != b"]":
            values.append(self.value(marker, depth))
            marker = self.take(1)
        return values

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._text[self.place : self.place + 1] != b"}":
            name = self._string()
            found[name] = self.value(self.take(1), depth)
        self.take(1)
        return found
