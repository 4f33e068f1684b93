"""A request and a response, as the application sees them."""

from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import orjson

from serving.contract import CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER, JSON, REQUEST_ID_HEADER

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}

_INFERENCE_ID: Final = INFERENCE_ID_HEADER.encode()
_CUSTOM_ATTRIBUTES: Final = CUSTOM_ATTRIBUTES_HEADER.encode()
_REQUEST_ID: Final = REQUEST_ID_HEADER.encode()


@dataclass(slots=True)
class Request:
    """A complete request; header values as they came."""

    method: bytes = b""
    target: bytes = b""
    content_type: bytes = b""
    accept: bytes = b""
    inference_id: bytes = b""
    request_id: bytes = b""
    """The client's own, or one that the server gave."""
    custom_attributes: bytes = b""
    body: bytes = b""
    keep_alive: bool = True

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]


@dataclass(slots=True)
class Response:
    """An answer, and what the log may say about it."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: bytes = b""
    """Further header lines, each ended by CRLF."""
    facts: dict[str, object] = field(default_factory=dict)
    notable: bool = False
    """Whether the log has it although it is no refusal."""

    def encode(self, request: Request, *, close: bool) -> bytes:
        """The bytes to send in answer to a request."""
        echoed = echo(request.inference_id)
        if request.custom_attributes:
            echoed += b"%s: %s\r\n" % (_CUSTOM_ATTRIBUTES, request.custom_attributes)
        headers = echoed + self.headers + (b"Connection: close\r\n" if close else b"")
        body = b"" if request.method == b"HEAD" else self.body
        return template(self.status, self.content_type) % (len(self.body), request.request_id, headers, body)


@lru_cache
def template(status: int, content_type: str) -> bytes:
    """An answer, but for the body's length, the request's id, further header lines, and the body."""
    return b"%bContent-Type: %b\r\nContent-Length: %%d\r\n%b: %%b\r\n%%b\r\n%%b" % (
        _STATUS_LINES[status],
        content_type.encode(),
        _REQUEST_ID,
    )


def echo(inference_id: bytes) -> bytes:
    """The header line that gives a request's inference id back; nothing if it has none."""
    return b"%b: %b\r\n" % (_INFERENCE_ID, inference_id) if inference_id else b""


def refusal(
    status: int, reason: str, row: int | None = None, field: str | None = None, *, headers: bytes = b""
) -> Response:
    """A JSON error: the reason, and the row and field at fault where they are known."""
    document: dict[str, object] = {"error": reason}
    document |= {"row": row} if row is not None else {}
    document |= {"field": field} if field is not None else {}
    return Response(status, orjson.dumps(document), headers=headers, facts=document)
