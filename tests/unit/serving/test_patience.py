"""What a client can make the server hold is bounded in time and number: a real server with little patience."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from serving import connection, lanes, server
from serving.application import Application
from serving.core.predictor import Predictor
from serving.log import Log
from serving.server import Server
from serving.settings import Settings
from tests.unit.serving.conftest import GOOD_ROW

HEAD = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
PING = b"GET /ping HTTP/1.1\r\n\r\n"
Client = Callable[[int], Awaitable[bytes]]


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "RECEIVE_SECONDS", "SEND_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(connection, name, 0.3)
    for name in ("SWEEP_SECONDS", "QUIET_SECONDS"):
        monkeypatch.setattr(server, name, 0.05)


def serve(predictor: Predictor, client: Client) -> bytes:
    """Run a server in this process for as long as the client takes; what the client returns."""

    async def run() -> bytes:
        running = Server(Application(predictor), Log(lambda _line: None))
        port: asyncio.Future[int] = running.loop.create_future()
        running.log.event = lambda event, **facts: port.set_result(facts["port"]) if event == "listening" else None  # type: ignore[method-assign]
        served = asyncio.create_task(running.run(Settings("127.0.0.1", 0, Path())))
        answer = await asyncio.wait_for(client(await port), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        await served
        return answer

    return asyncio.run(run())


@pytest.mark.parametrize("sent", [HEAD, HEAD % 1000 + GOOD_ROW * 50, CHUNKED + b"1\r\n2\r\n" * 50])
def test_a_request_that_dribbles_in_is_refused_after_its_time(predictor: Predictor, sent: bytes) -> None:
    async def dribble(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in sent:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.005)
            if reader._buffer:  # type: ignore[attr-defined]
                break
        answer = await reader.read()
        writer.close()
        return answer

    answer = serve(predictor, dribble)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer


def test_an_idle_connection_is_closed_without_a_word(predictor: Predictor) -> None:
    async def idle(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PING)
        answer = await reader.read()
        writer.close()
        return answer

    answer = serve(predictor, idle)
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_never_reads_is_given_up_and_holds_nobody_up(predictor: Predictor) -> None:
    async def never_read(port: int) -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        body = GOOD_ROW * 50_000
        writer.write((HEAD % len(body) + body) * 40)
        while not writer.transport.is_closing():  # noqa: ASYNC110 - the other side sets no event
            await asyncio.sleep(0.02)
        other, ping = await asyncio.open_connection("127.0.0.1", port)
        ping.write(PING)
        answer = await other.readuntil(b"}")
        ping.close()
        return answer

    assert serve(predictor, never_read).startswith(b"HTTP/1.1 200 OK")


def test_one_connection_too_many_is_told_to_come_back(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(connection, "IDLE_SECONDS", 5.0)

    async def three(port: int) -> bytes:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        answer = await pairs[2][0].read()
        for number in (0, 1):
            pairs[number][1].write(PING)
            assert (await pairs[number][0].readuntil(b"}")).startswith(b"HTTP/1.1 200 OK")
        for _, writer in pairs:
            writer.close()
        return answer

    answer = serve(predictor, three)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1\r\n" in answer


@pytest.mark.parametrize("unfinished", [b"POST /inv", HEAD % 100 + b"1,", HEAD % 900_000 + GOOD_ROW * 50_000])
def test_a_drain_ends_although_a_client_never_finishes(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, unfinished: bytes
) -> None:
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.3)
    for name in ("RECEIVE_SECONDS", "SEND_SECONDS"):
        monkeypatch.setattr(connection, name, 60.0)

    async def never_finish(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(unfinished)
        os.kill(os.getpid(), signal.SIGTERM)
        other, ping = await asyncio.open_connection("127.0.0.1", port)
        ping.write(PING)
        answer = await other.readuntil(b"}")
        await reader.read()
        for one in (writer, ping):
            one.close()
        return answer

    assert serve(predictor, never_finish).startswith(b"HTTP/1.1 503 ")


def test_large_requests_beyond_the_queue_are_told_to_come_back_and_the_others_answered(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MAX_WAITING", 2)
    monkeypatch.setattr(connection, "IDLE_SECONDS", 5.0)
    body = GOOD_ROW * 20_000

    async def crowd(port: int) -> bytes:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        for _, writer in pairs:
            writer.write(HEAD % len(body) + body)
        heads = [await reader.readuntil(b"\r\n\r\n") for reader, _ in pairs]
        for _, writer in pairs:
            writer.close()
        return b"".join(heads)

    heads = serve(predictor, crowd)
    assert heads.count(b"HTTP/1.1 200 OK") + heads.count(b"HTTP/1.1 503 ") == 6
    assert heads.count(b"HTTP/1.1 503 ") == heads.count(b"Retry-After: 1\r\n") > 0
    assert heads.count(b"HTTP/1.1 200 OK") >= 2
