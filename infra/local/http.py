"""HTTP/1.1 for a WSGI application, with connections kept alive.

Werkzeug's own handler closes every connection, after waiting 10 ms for a body that nobody read. Here the body is read
before the application runs, so the next request line always stands where it should, and the answer leaves in one piece.
"""

import io
import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from infra.local.unsupported import Headers

log = logging.getLogger(__name__)

BODYLESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class KeepAliveHandler(MotoRequestHandler):  # type: ignore[misc] # moto has no types for mypy to follow
    """Serves one connection: any number of requests, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body(environ))
        environ["wsgi.input_terminated"] = True
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: Headers, _: object = None) -> None:
            answer.update(status=status, headers=headers)

        chunks = self.server.app(environ, start_response)
        body = b"".join(chunks)
        if close := getattr(chunks, "close", None):
            close()
        self._send(answer["status"], answer["headers"], body)

    def handle_expect_100(self) -> bool:
        """Ask for the body; it must not wait in the buffer."""
        accepted: bool = super().handle_expect_100()
        self.wfile.flush()
        return accepted

    def date_time_string(self, timestamp: float | None = None) -> str:
        """An answer's `Date`: the cloud's time, as everything in the answer is."""
        text: str = super().date_time_string(self.server.now().timestamp() if timestamp is None else timestamp)
        return text

    def connection_dropped(self, error: BaseException, _environ: object = None) -> None:
        """A client that goes away is its own affair."""

    def log_request(self, *_: object) -> None:
        """Requests are not logged: there are hundreds a second."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Send what http.server has to say to the cloud's log."""
        log.log(logging.ERROR if type == "error" else logging.INFO, message, *args)

    def _body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):
            return bytes(environ["wsgi.input"].read())
        return bytes(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))

    def _send(self, status: str, headers: Headers, body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if int(code) not in BODYLESS and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and int(code) not in BODYLESS:
            self.wfile.write(body)
        self.wfile.flush()


class Server(ThreadedWSGIServer):  # type: ignore[misc] # likewise werkzeug
    """One thread a connection, none of which keeps the process from ending."""

    now: Callable[[], datetime]
    """The cloud's time."""

    daemon_threads = True
    block_on_close = False
