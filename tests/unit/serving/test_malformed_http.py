"""Requests no honest client sends, over raw sockets: each is answered or refused, and the next one is answered."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.unit.serving.conftest import GOOD_ROW, REQUEST, RunningServer, receive

POST = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
POST_1_0 = POST.replace(b"1.1", b"1.0")
GET = b"GET /ping HTTP/1.1\r\nHost: a\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(GOOD_ROW)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LONG = b";" + b"x" * 99_999
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD_ROW), GOOD_ROW)

ANSWERED: dict[str, tuple[bytes, int]] = {
    "chunked": (POST + CHUNKED + b"\r\n" + CHUNKS, 200),
    "a chunk with a long extension": (POST + CHUNKED + b"\r\n" + CHUNKS.replace(b"\r", LONG + b"\r", 1), 200),
    "ten thousand trailers": (POST + CHUNKED + b"\r\n" + CHUNKS[:-2] + b"X: y\r\n" * 10_000 + b"\r\n", 200),
    "a length between tabs": (POST + b"Content-Length:\t%d\t\r\n\r\n" % len(GOOD_ROW) + GOOD_ROW, 200),
    "an expectation nobody knows": (POST + LENGTH + b"Expect: 200-maybe\r\n\r\n" + GOOD_ROW, 200),
    "empty lines first": (b"\r\n" * 50_000 + GET + b"\r\n", 200),
    "five thousand headers": (GET + b"X: y\r\n" * 5_000 + b"\r\n", 200),
    "bytes beyond ASCII in headers": (POST + b"X-Request-Id: gr\xc3\xb6\xff\r\n" + LENGTH + b"\r\n" + GOOD_ROW, 200),
    "a content type of no letters": (b"POST /invocations HTTP/1.1\r\nContent-Type: \xff;;\r\n\r\n", 415),
    "an accept header of no letters": (POST + b"Accept: ;;,\xff\xfe/*;q=abc\r\n" + LENGTH + b"\r\n" + GOOD_ROW, 406),
    "a bad percent escape in the query": (REQUEST.replace(b"s HTTP", b"s?output=%%ZZ HTTP") % (18, GOOD_ROW), 400),
    "an escape of no UTF-8 in the query": (REQUEST.replace(b"s HTTP", b"s?output=%%ff HTTP") % (18, GOOD_ROW), 400),
    "a query of twenty thousand options": (
        REQUEST.replace(b"s HTTP", b"s?" + b"a&" * 20_000 + b" HTTP") % (18, GOOD_ROW), 400
    ),
    "a bad percent escape in the path": (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    "no path but a star": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    "a method that is not taken": (b"TRACE /ping HTTP/1.1\r\nHost: a\r\n\r\n", 405),
}  # fmt: skip

REFUSED: dict[str, tuple[bytes, int]] = {
    "two lengths": (POST + LENGTH + LENGTH + b"\r\n" + GOOD_ROW, 400),
    "a list of lengths": (POST + b"Content-Length: 18, 18\r\n\r\n" + GOOD_ROW, 400),
    "a length with a sign": (POST + b"Content-Length: +18\r\n\r\n" + GOOD_ROW, 400),
    "a length with an underscore": (POST + b"Content-Length: 1_8\r\n\r\n" + GOOD_ROW, 400),
    "an empty length": (POST + b"Content-Length: \r\n\r\n" + GOOD_ROW, 400),
    "a length in other digits": (POST + "Content-Length: ١٨\r\n\r\n".encode() + GOOD_ROW, 400),
    "a length past 64 bits": (POST + b"Content-Length: 18446744073709551634\r\n\r\n" + GOOD_ROW, 400),
    "a space before the colon": (POST + b"Content-Length : 18\r\n\r\n" + GOOD_ROW, 400),
    "a length and chunks": (POST + LENGTH + CHUNKED + b"\r\n" + CHUNKS, 400),
    "chunks and a length": (POST + CHUNKED + LENGTH + b"\r\n" + CHUNKS, 400),
    "chunked twice": (POST + CHUNKED * 2 + b"\r\n" + CHUNKS, 400),
    "a coding beside chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS, 400),
    "a coding after chunked": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS, 400),
    "almost chunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS, 400),
    "chunks in HTTP/1.0": (POST_1_0 + CHUNKED + b"\r\n" + CHUNKS, 400),
    "chunks ended by bare line feeds": (POST + CHUNKED + b"\r\n" + CHUNKS.replace(b"\r", b""), 400),
    "a chunk of negative size": (POST + CHUNKED + b"\r\n-" + CHUNKS, 400),
    "a chunk past 64 bits": (POST + CHUNKED + b"\r\nffffffffffffffff" + CHUNKS, 400),
    "a chunk longer than it says": (POST + CHUNKED + b"\r\n" + CHUNKS.replace(b"12", b"10", 1), 400),
    "a request that ends early": (REQUEST % (100, GOOD_ROW), 400),
    "a head that ends early": (POST, 400),
    "HTTP/0.9": (b"GET /ping\r\n\r\n", 400),
    "HTTP/2.0": (b"GET /ping HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    "HTTP/2's greeting": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an upgrade": (GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a method nobody knows": (GET.replace(b"GET", b"BREW") + b"\r\n", 400),
    "a tunnel": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL in the path": (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL in a header": (GET + b"X: a\0b\r\n\r\n", 400),
    "a bare carriage return in a header": (GET + b"X: a\rb\r\n\r\n", 400),
    "lines that end with a line feed only": (GET.replace(b"\r", b"") + b"\n", 400),
    "a folded header": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "a header without a name": (GET + b": a\r\n\r\n", 400),
    "a header of a megabyte": (GET + b"X: " + b"y" * 1_000_000, 431),
    "headers without end": (GET + b"X: y\r\n" * 200_000, 431),
}
"""After these nobody can say where the next request begins: the connection is closed."""


def answers(server: RunningServer, sent: bytes) -> list[tuple[int, bytes, bytes]]:
    """Status, head and body of every answer, to the connection's end."""
    with server.raw() as client, ThreadPoolExecutor(1) as sender:
        sender.submit(send, client, sent)
        received = receive(client)
    return list(parsed(received))


def send(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)


def parsed(received: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        yield int(head.split(b" ")[1]), head, rest[:length]
        received = rest[length:]


@pytest.mark.parametrize(("sent", "status"), ANSWERED.values(), ids=ANSWERED)
def test_what_is_odd_but_whole_is_answered_and_so_is_the_next_request(
    server: RunningServer, sent: bytes, status: int
) -> None:
    first, last = answers(server, sent + REQUEST % (len(GOOD_ROW), GOOD_ROW))
    assert first[0] == status
    assert status == 200 or json.loads(first[2])["error"]
    assert last[0] == 200


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_http_1_0_is_answered_without_leave_and_closed(server: RunningServer, expect: bytes) -> None:
    (only,) = answers(server, POST_1_0 + LENGTH + expect + b"\r\n" + GOOD_ROW)
    assert only[0] == 200
    assert b"\r\nConnection: close" in only[1]


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_is_refused_with_a_reason_and_nothing_after_it_is_taken_for_one(
    server: RunningServer, sent: bytes, status: int
) -> None:
    (only,) = answers(server, sent)
    assert only[0] == status
    assert b"\r\nConnection: close" in only[1]
    assert json.loads(only[2])["error"]
    assert server.is_good()


def test_a_body_longer_than_its_length_is_no_part_of_the_request(server: RunningServer) -> None:
    whole, rest = answers(server, REQUEST % (len(GOOD_ROW), GOOD_ROW + b"1,blue,2,2,3\n"))
    assert (whole[0], whole[2].count(b"\n")) == (200, 1)
    assert rest[0] == 400


def test_a_thousand_broken_requests_leave_nothing_behind(server: RunningServer) -> None:
    process = psutil.Process(server.process.pid)
    broken = [sent for sent, _ in REFUSED.values() if len(sent) < 1000]

    def ask_all() -> tuple[int, int, int]:
        with ThreadPoolExecutor(8) as clients:
            list(clients.map(lambda number: answers(server, broken[number % len(broken)]), range(500)))
        return process.num_fds(), process.num_threads(), process.memory_info().rss

    descriptors, threads, memory = ask_all()
    after = ask_all()
    deadline = time.monotonic() + 10
    while process.num_fds() > descriptors and time.monotonic() < deadline:
        time.sleep(0.05)  # whoever was answered last may know it before the server has closed
    assert (process.num_fds() <= descriptors, after[1]) == (True, threads)
    assert after[2] - memory < 4_000_000
