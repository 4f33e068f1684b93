"""One client's connection: HTTP/1.1 with keep-alive and pipelining on a bare asyncio protocol.

Requests are answered in the order they came: quick ones at once, on the event loop; those that take long on a thread,
so that `/ping` never waits for them. What a client can make the server hold is bounded in bytes and in time.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping
from typing import Final, Protocol, cast

from serving.express import Express
from serving.lanes import Lane, Work
from serving.log import Log
from serving.message import Request, Response, refusal
from serving.metrics import Metrics
from serving.pages import Pages
from serving.reader import RequestReader

RETRY: Final = b"Retry-After: 1\r\n"
IDLE_SECONDS: Final = 120.0
RECEIVE_SECONDS: Final = 60.0
"""SageMaker gives a request this long in all."""
SEND_SECONDS: Final = 60.0
LINGER_SECONDS: Final = 5.0
"""How long what follows a refusal is read and dropped, so that its sender gets to read the refusal."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Host(Protocol):
    """What a connection needs of its server."""

    application: Pages
    log: Log
    metrics: Metrics
    request_ids: Iterator[bytes]
    express: Express | None
    lanes: Mapping[Work, Lane]
    loop: asyncio.AbstractEventLoop

    def admit(self, connection: "Connection") -> bool:
        """Take a connection on, or say that there are too many."""

    def release(self, connection: "Connection") -> None:
        """Forget a connection."""


class Connection(asyncio.Protocol):
    """Reads requests, answers them in order, and closes when told, refused or late."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._reader = RequestReader()
        self._transport: asyncio.Transport
        self._output: list[bytes] = []
        self._answering = False
        self._blocked = False
        self._paused = False
        self._ended = False
        self._closing = False
        self.deadline = host.loop.time() + IDLE_SECONDS
        """The event loop's time at which the connection is given up."""

    @property
    def busy(self) -> bool:
        """Whether a request is being received, answered or sent back."""
        reader = self._reader
        arriving = reader.receiving and not reader.refusal
        return arriving or self._answering or bool(reader.complete) or self._transport.get_write_buffer_size() > 0

    def close(self) -> None:
        """Close once everything written is sent."""
        self._closing = True
        self._transport.close()

    def expire(self) -> None:
        """The deadline has passed: refuse a request that is still arriving, else just end."""
        if self._closing or self._blocked:
            self._transport.abort()
        elif self._reader.receiving:
            self._reader.refusal = refusal(408, f"the request did not arrive within {RECEIVE_SECONDS:g} seconds")
            self._advance()
        else:
            self.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless the server has as many connections as it takes."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        if not self._host.admit(self):
            self._reader.refusal = refusal(503, "too many connections", headers=RETRY)
            self._advance()

    def data_received(self, data: bytes) -> None:
        """Read, and answer what is complete."""
        if self._closing:
            return
        reader = self._reader
        express = None if reader.receiving or self._answering or self._blocked else self._host.express
        if express and (answer := express.answer(data)):
            self._set_deadline(IDLE_SECONDS)  # before a client that does not read may shorten it
            self._transport.write(answer)
            return
        receiving = reader.receiving
        reader.feed(data)
        if not receiving or reader.complete:
            self._set_deadline(RECEIVE_SECONDS if reader.receiving else IDLE_SECONDS)
        self._advance()

    def eof_received(self) -> bool:
        """The client sends no more, but may still read: stay open while there is something to answer."""
        self._ended = True
        self._reader.end()
        self._advance()
        return not self._closing and (self._answering or bool(self._reader.complete))

    def pause_writing(self) -> None:
        """The client does not read its answers: answer no more until it does."""
        self._blocked = True
        self._set_deadline(SEND_SECONDS)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._blocked = False
        self._set_deadline(IDLE_SECONDS)
        self._advance()

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self._closing = True
        self._host.release(self)

    # The order of things.

    def _advance(self) -> None:
        """Answer what can be answered now, send it, and read on only if nothing waits."""
        complete = self._reader.complete
        while complete and not (self._answering or self._blocked or self._closing):
            request = complete.popleft()
            if work := self._host.application.long_work(request):
                self._answer_on_thread(request, self._host.lanes[work])
            else:
                self._send(request, self._host.application.respond(request))
        if not complete and not self._answering:
            self._after_requests()
        self._flush()
        self._pace()

    def _after_requests(self) -> None:
        reader = self._reader
        if self._closing:
            return
        if reader.refusal:
            reader.request.keep_alive = False
            self._send(reader.request, reader.refusal)
        elif self._ended:
            self._flush()
            self.close()
        elif reader.expects_continue:
            reader.expects_continue = False
            self._output.append(_CONTINUE)

    def _answer_on_thread(self, request: Request, lane: Lane) -> None:
        if lane.is_full:
            self._send(request, refusal(503, "too many such requests wait already", headers=RETRY))
            return
        self._answering = True
        self.deadline = math.inf

        def answered(response: Response) -> None:
            self._answering = False
            self._set_deadline(IDLE_SECONDS)
            if not self._closing:
                self._send(request, response)
                self._advance()

        lane.answer(self._host.application.respond, request, answered)

    def _send(self, request: Request, response: Response) -> None:
        request.request_id = request.request_id or next(self._host.request_ids)
        close = not request.keep_alive or self._host.application.draining
        self._output.append(response.encode(request, close=close))
        self._host.metrics.count(response)
        self._host.log.request(request, response)
        self._closing = close

    def _flush(self) -> None:
        if self._output:
            self._transport.write(self._output[0] if len(self._output) == 1 else b"".join(self._output))
            self._output.clear()
            if self._closing:
                self._end()

    def _end(self) -> None:
        if self._reader.refusal and self._transport.can_write_eof():
            self._transport.write_eof()
            self._set_deadline(LINGER_SECONDS)
        else:
            self._transport.close()

    def _pace(self) -> None:
        wait = self._answering or self._blocked
        if wait == self._paused or self._transport.is_closing():
            return
        self._paused = wait
        if wait:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = self._host.loop.time() + seconds
