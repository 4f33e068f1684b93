"""From bytes to complete requests, within limits. Pure: no socket, no clock."""

from collections import deque
from typing import Final

import httptools

from serving.contract import CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER, MAX_BODY_BYTES, REQUEST_ID_HEADER
from serving.message import Request, Response, refusal

MAX_HEAD_BYTES: Final = 65_536
"""Request line and headers."""
MAX_RAW_BYTES: Final = 4 * MAX_BODY_BYTES
"""A request as it travels; tiny chunks take several times their content."""
_VERSIONS: Final = ("1.1", "1.0")
_INFERENCE_ID: Final = INFERENCE_ID_HEADER.lower().encode()
_CUSTOM_ATTRIBUTES: Final = CUSTOM_ATTRIBUTES_HEADER.lower().encode()
_REQUEST_ID: Final = REQUEST_ID_HEADER.lower().encode()
_TOO_LARGE: Final = f"the body is larger than {MAX_BODY_BYTES} bytes"


class RequestReader:
    """Collects requests as httptools finds them.

    Attributes:
        complete: requests to be answered, in order.
        refusal: the answer that ends the connection after those, once something could not be read.
        request: the request that is being read.
        receiving: whether the request being read has begun and not ended.
        expects_continue: whether the client waits for leave to send its body.
    """

    def __init__(self) -> None:
        self.complete: deque[Request] = deque()
        self.refusal: Response | None = None
        self.request = Request()
        self.receiving = False
        self.expects_continue = False
        self._parser = httptools.HttpRequestParser(self)
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._raw_bytes = 0
        self._in_head = False

    def feed(self, data: bytes) -> None:
        """Read on; does nothing after a refusal."""
        if self.refusal:
            return
        self._raw_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "this server speaks HTTP/1.1 and takes no upgrade")
        except httptools.HttpParserError as error:
            self._refuse(400, f"this is not HTTP/1.1: {error}")
        self._check_size()

    def end(self) -> None:
        """The client sends no more: a request that is not whole never will be."""
        if self.receiving:
            self._refuse(400, "the request ended before it was whole")

    # What httptools calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.request = Request()
        self.receiving = self._in_head = True
        self._raw_bytes = self._body_bytes = 0
        self._chunks = []

    def on_url(self, target: bytes) -> None:
        """A piece of the request's target."""
        self.request.target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers after a chunked body are dropped."""
        if not self._in_head:
            return
        match name.lower():
            case b"content-type":
                self.request.content_type = value
            case b"accept":
                self.request.accept = value
            case b"content-length" if int(value) > MAX_BODY_BYTES:
                self._refuse(413, _TOO_LARGE)
            case b"transfer-encoding" if value.lower() != b"chunked" or self._parser.get_http_version() != _VERSIONS[0]:
                self._refuse(400, "the only transfer coding is chunked, which HTTP/1.0 does not know")
            case b"expect":
                self.expects_continue = value.lower() == b"100-continue"
            case one if one == _INFERENCE_ID:
                self.request.inference_id = value
            case one if one == _CUSTOM_ATTRIBUTES:
                self.request.custom_attributes = value
            case one if one == _REQUEST_ID:
                self.request.request_id = value

    def on_headers_complete(self) -> None:
        """The body, if any, begins."""
        self._in_head = False
        if self._parser.get_http_version() not in _VERSIONS:
            self._refuse(400, "this server speaks HTTP/1.1")

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body."""
        self.expects_continue = False
        self._body_bytes += len(chunk)
        if self._body_bytes > MAX_BODY_BYTES:
            self._refuse(413, _TOO_LARGE)
        if not self.refusal:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.receiving = self.expects_continue = False
        if self.refusal or self._parser.should_upgrade():
            return
        request = self.request
        request.method = self._parser.get_method()
        request.keep_alive = self._parser.should_keep_alive()
        request.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self.complete.append(request)

    def _check_size(self) -> None:
        if not self.receiving:  # what is whole was not too large: its end and others' beginnings came in one piece
            return
        if self._in_head and self._raw_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"the headers are larger than {MAX_HEAD_BYTES} bytes")
        elif self._raw_bytes > MAX_RAW_BYTES:
            self._refuse(413, _TOO_LARGE)

    def _refuse(self, status: int, reason: str) -> None:
        self.refusal = self.refusal or refusal(status, reason)
        self._chunks = []
