"""HTTP as odd clients speak it: pipelined, half closed, cut off, waiting for leave."""

import socket

import lightgbm
import numpy as np

from tests.unit.serving.conftest import (
    GOOD_ROW,
    REQUEST,
    RunningServer,
    receive,
)


def test_pipelined_requests_are_answered_in_order_also_behind_a_large_one(
    server: RunningServer, booster: lightgbm.Booster
) -> None:
    widths = [0.1 * number for number in range(30)]
    bodies = [b"%r,blue,2.5,2,-3\n" % width for width in widths]
    bodies[3] *= 3000
    expected = booster.predict(np.array([[width, 0, 2.5, 1, -3] for width in widths]))
    with server.raw() as client:
        client.sendall(b"".join(REQUEST % (len(body), body) for body in bodies))
        client.shutdown(socket.SHUT_WR)
        answers = receive(client).split(b"HTTP/1.1 200 OK\r\n")[1:]
    scores = [[float(line) for line in answer.partition(b"\r\n\r\n")[2].split()] for answer in answers]
    assert [set(one) for one in scores] == [{score} for score in expected]
    assert [len(one) for one in scores] == [3000 if number == 3 else 1 for number in range(30)]


def test_a_client_that_closes_its_sending_half_is_still_answered(server: RunningServer) -> None:
    with server.raw() as client:
        client.sendall(REQUEST % (len(GOOD_ROW), GOOD_ROW))
        client.shutdown(socket.SHUT_WR)
        assert receive(client).startswith(b"HTTP/1.1 200 OK")


def test_clients_that_leave_half_way_do_no_harm(server: RunningServer) -> None:
    for sent in (b"", b"POST /inv", REQUEST % (100, b"1,"), REQUEST % (len(GOOD_ROW) * 9000, GOOD_ROW * 9000)):
        with server.raw() as client:
            client.sendall(sent)
    assert server.is_good()


def test_leave_to_send_is_given_once(server: RunningServer) -> None:
    with server.raw() as client:
        head, _, body = (REQUEST % (len(GOOD_ROW), GOOD_ROW)).partition(b"\r\n\r\n")
        client.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert receive(client, b"\n").startswith(b"HTTP/1.1 200 OK")


def test_what_is_no_http_is_refused_and_closed(server: RunningServer) -> None:
    with server.raw() as client:
        client.sendall(b"HELLO\r\n\r\n")
        answer = receive(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"Connection: close" in answer
    assert answer.endswith(b'{"error":"this is not HTTP/1.1: Invalid method encountered"}')
