"""Heads that were read before: a client sends nearly the same one again and again, and the same bytes mean the same.

Only what httptools has read is remembered, so this never reads HTTP itself.
"""

from typing import Final, NamedTuple

from serving.message import Request

MAX_HEADS: Final = 512
MAX_HEAD_BYTES: Final = 2048
_END: Final = b"\r\n\r\n"


class _Said(NamedTuple):
    """A request's first fields, in their order."""

    method: bytes
    target: bytes
    content_type: bytes
    accept: bytes
    inference_id: bytes
    request_id: bytes
    custom_attributes: bytes


_UNKNOWN: Final = (-1, _Said(b"", b"", b"", b"", b"", b"", b""))


class Heads:
    """By head, byte for byte: the length of the body that goes with it, and what it says."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, _Said]] = {}

    def recognise(self, data: bytes) -> Request | None:
        """The request that `data` is, if it is a whole one whose head is known."""
        end = data.find(_END) + 4
        length, said = self._known.get(data[:end], _UNKNOWN)
        return Request(*said, data[end:]) if len(data) - end == length else None

    def remember(self, data: bytes, request: Request) -> None:
        """Keep the head of the one request that httptools found in `data`, if nothing else is in it."""
        end = data.find(_END) + 4
        if end > MAX_HEAD_BYTES or not request.keep_alive or data[end:] != request.body:
            return
        if len(self._known) == MAX_HEADS:
            self._known.clear()
        said = _Said(*(getattr(request, name) for name in _Said._fields))
        self._known[data[:end]] = len(request.body), said
