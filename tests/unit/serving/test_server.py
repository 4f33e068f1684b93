"""The real server, as a process, asked over real sockets."""

import json
import random
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from serving.contract import INFERENCE_ID_HEADER, MAX_BODY_BYTES, MODEL_FILE, PORT_VARIABLE, SIGNATURE_FILE
from serving.server import QUIET_SECONDS
from tests.unit.serving.conftest import (
    GOOD_ROW,
    SERVE,
    Answer,
    RunningServer,
    server_environment,
    start_server,
    stop_server,
    write_model,
)

REQUEST = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s"


def good(server: RunningServer) -> bool:
    return server.invoke(GOOD_ROW).status == 200


def receive(client: socket.socket, until: bytes = b"") -> bytes:
    """What arrives until `until` does, or to the end."""
    received = b""
    while not (until and until in received):
        piece = client.recv(65536)
        if not piece:
            break
        received += piece
    return received


def raw(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_ping_says_that_the_model_is_loaded(server: RunningServer) -> None:
    answer = server.ask("GET", "/ping")
    assert (answer.status, answer.document) == (200, {"status": "ready", "model": "boxes"})
    assert server.ask("HEAD", "/ping").status == 200


def test_each_content_type_is_answered_in_kind_with_the_librarys_score(
    server: RunningServer, booster: lightgbm.Booster
) -> None:
    score = booster.predict(np.array([[1.5, 0, 2.5, 1, -3]]))[0]
    label = int(score >= 0.5)
    as_csv = server.invoke(GOOD_ROW)
    as_json = server.invoke(b'{"instances": [[1.5, "blue", 2.5, "2", -3]]}', "application/json")
    as_lines = server.invoke(b'[1.5, "blue", 2.5, "2", -3]\n' * 2, "application/jsonlines; charset=utf-8")
    assert (as_csv.headers["Content-Type"], float(as_csv.body)) == ("text/csv", score)
    assert as_json.document == {"predictions": [{"score": score, "label": label}]}
    assert [json.loads(line) for line in as_lines.body.splitlines()] == [{"score": score, "label": label}] * 2


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/json", "application/json"),
        ("application/jsonlines;q=0.9, text/csv;q=0.1", "application/jsonlines"),
        ("image/png, */*", "text/csv"),
        ("text/*", "text/csv"),
    ],
)
def test_the_accept_header_chooses(server: RunningServer, accept: str, answered: str) -> None:
    assert server.invoke(GOOD_ROW, Accept=accept).headers["Content-Type"] == answered


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status", "error"),
    [
        ("POST", "/invocations", b"", "text/csv", 400, {"error": "the body is empty"}),
        ("POST", "/invocations", b"1,blue\n", "text/csv", 400, {"error": "has 2 fields, the model takes 5", "row": 1}),
        (
            "POST",
            "/invocations",
            GOOD_ROW + b"x,blue,2,2,3",
            "text/csv",
            400,
            {"error": "expected a number, got 'x'", "row": 2, "field": "width"},
        ),
        ("POST", "/invocations", b"{", "application/json", 400, None),
        ("POST", "/invocations", b"%PDF", "application/pdf", 415, None),
        ("GET", "/invocations", None, "", 405, {"error": "/invocations takes POST"}),
        ("POST", "/ping", b"", "", 405, {"error": "/ping takes GET, HEAD"}),
        ("GET", "/", None, "", 404, None),
        ("GET", "/%2e%2e/etc/passwd", None, "", 404, None),
    ],
)
def test_a_refusal_has_its_status_and_reason_and_the_next_request_is_answered(  # noqa: PLR0917 - a table's columns
    server: RunningServer,
    method: str,
    path: str,
    body: bytes | None,
    content_type: str,
    status: int,
    error: dict[str, object] | None,
) -> None:
    connection = server.connect()
    connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
    answer = Answer.read(connection.getresponse())
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.document == error if error else answer.document["error"]
    connection.request("POST", "/invocations", GOOD_ROW, {"Content-Type": "text/csv"})
    assert Answer.read(connection.getresponse()).status == 200
    connection.close()


def test_an_unacceptable_accept_header_is_refused(server: RunningServer) -> None:
    assert server.invoke(GOOD_ROW, Accept="image/png").status == 406


def test_a_body_over_the_limit_is_refused_and_its_sender_gets_to_read_why(server: RunningServer) -> None:
    answer = server.invoke(b"1" * 7_000_000)
    assert (answer.status, answer.document["error"]) == (413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    assert good(server)


def test_the_inference_id_is_echoed_with_answers_and_refusals(server: RunningServer) -> None:
    for body in (GOOD_ROW, b""):
        assert server.invoke(body, X_Amzn_SageMaker_Inference_Id="order-7").headers[INFERENCE_ID_HEADER] == "order-7"
    assert INFERENCE_ID_HEADER not in server.invoke(GOOD_ROW).headers


def test_pipelined_requests_are_answered_in_order_also_behind_a_large_one(
    server: RunningServer, booster: lightgbm.Booster
) -> None:
    widths = [0.1 * number for number in range(30)]
    bodies = [b"%r,blue,2.5,2,-3\n" % width for width in widths]
    bodies[3] *= 3000
    expected = booster.predict(np.array([[width, 0, 2.5, 1, -3] for width in widths]))
    with raw(server) as client:
        client.sendall(b"".join(REQUEST % (len(body), body) for body in bodies))
        client.shutdown(socket.SHUT_WR)
        answers = receive(client).split(b"HTTP/1.1 200 OK\r\n")[1:]
    scores = [[float(line) for line in answer.partition(b"\r\n\r\n")[2].split()] for answer in answers]
    assert [set(one) for one in scores] == [{score} for score in expected]
    assert [len(one) for one in scores] == [3000 if number == 3 else 1 for number in range(30)]


def test_concurrent_clients_each_get_their_own_answer(server: RunningServer, booster: lightgbm.Booster) -> None:
    def ask_many(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - test data
        connection = server.connect()
        for _ in range(40):
            widths = [chance.uniform(-10, 10) for _ in range(chance.choice([1, 1, 1, 5, 2500]))]
            body = b"".join(b"%r,blue,2.5,2,-3\n" % width for width in widths)
            identifier = str(chance.random())
            headers = {"Content-Type": "text/csv", INFERENCE_ID_HEADER: identifier}
            connection.request("POST", "/invocations", body, headers)
            answer = Answer.read(connection.getresponse())
            expected = booster.predict(np.array([[width, 0, 2.5, 1, -3] for width in widths]), num_threads=1)
            assert answer.headers[INFERENCE_ID_HEADER] == identifier
            assert [float(line) for line in answer.body.split()] == expected.tolist()
        connection.close()

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask_many, range(8)))


def test_ping_answers_while_a_large_body_is_scored(server: RunningServer) -> None:
    body = GOOD_ROW * (MAX_BODY_BYTES // len(GOOD_ROW))
    with ThreadPoolExecutor(1) as client:
        large = client.submit(server.invoke, body)
        slowest = 0.0
        while not large.done():
            began = time.monotonic()
            assert server.ask("GET", "/ping").status == 200
            slowest = max(slowest, time.monotonic() - began)
    assert large.result().body.count(b"\n") == body.count(b"\n")
    assert slowest < 2.0


def test_a_client_that_closes_its_sending_half_is_still_answered(server: RunningServer) -> None:
    with raw(server) as client:
        client.sendall(REQUEST % (len(GOOD_ROW), GOOD_ROW))
        client.shutdown(socket.SHUT_WR)
        assert receive(client).startswith(b"HTTP/1.1 200 OK")


def test_clients_that_leave_half_way_do_no_harm(server: RunningServer) -> None:
    for sent in (b"", b"POST /inv", REQUEST % (100, b"1,"), REQUEST % (len(GOOD_ROW) * 9000, GOOD_ROW * 9000)):
        with raw(server) as client:
            client.sendall(sent)
    assert good(server)


def test_leave_to_send_is_given_once(server: RunningServer) -> None:
    with raw(server) as client:
        head, _, body = (REQUEST % (len(GOOD_ROW), GOOD_ROW)).partition(b"\r\n\r\n")
        client.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert receive(client, b"\n").startswith(b"HTTP/1.1 200 OK")


def test_what_is_no_http_is_refused_and_closed(server: RunningServer) -> None:
    with raw(server) as client:
        client.sendall(b"HELLO\r\n\r\n")
        answer = receive(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"Connection: close" in answer
    assert answer.endswith(b'{"error":"this is not HTTP/1.1"}')


def test_every_refusal_is_logged_without_the_requests_data(server: RunningServer) -> None:
    server.invoke(GOOD_ROW + b"1,blue,SECRET-IN-SECOND-ROW,2,3,4\n", X_Amzn_SageMaker_Inference_Id="logged")
    (event,) = [one for one in server.events() if one.get("inference_id") == "logged"]
    assert (event["event"], event["status"], event["row"]) == ("request", 400, 2)
    assert "SECRET" not in server.log.read_text()


def test_sigterm_turns_ping_to_503_lets_requests_finish_and_ends_with_zero(ml_root: Path, tmp_path: Path) -> None:
    server = start_server(ml_root, tmp_path / "log")
    with raw(server) as slow, raw(server) as idle:
        slow.sendall((REQUEST % (len(GOOD_ROW), GOOD_ROW))[:-5])
        idle.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert receive(idle, b"}").startswith(b"HTTP/1.1 200 OK")
        server.process.send_signal(signal.SIGTERM)
        while len(server.events()) < 3:
            time.sleep(0.01)
        assert server.ask("GET", "/ping").status == 503
        assert good(server)
        time.sleep(2 * QUIET_SECONDS)
        slow.sendall(GOOD_ROW[-5:])
        answer = receive(slow)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"Connection: close" in answer
        assert receive(idle) == b""
    assert server.process.wait(10) == 0
    assert server.events()[-1]["event"] == "stopped"


def test_no_request_is_lost_when_the_server_is_told_to_stop_under_load(ml_root: Path, tmp_path: Path) -> None:
    server = start_server(ml_root, tmp_path / "log")
    answered: list[int] = []
    told = threading.Event()

    def ask_until_told_to_close() -> None:
        connection = server.connect()
        closing = False
        while not closing:
            connection.request("POST", "/invocations", GOOD_ROW, {"Content-Type": "text/csv"})
            answer = Answer.read(connection.getresponse())
            answered.append(answer.status)
            closing = answer.headers.get("Connection") == "close"
        told.set()
        connection.close()

    with ThreadPoolExecutor(4) as clients:
        running = [clients.submit(ask_until_told_to_close) for _ in range(4)]
        time.sleep(0.3)
        assert not told.is_set()
        assert stop_server(server) == 0
        for one in running:
            one.result()
    assert set(answered) == {200}


def test_a_log_that_nobody_reads_any_more_stops_nothing(ml_root: Path) -> None:
    environment = server_environment(ml_root)
    with subprocess.Popen([*SERVE, "serve"], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        server = RunningServer(process, json.loads(process.stdout.readline())["port"], Path())
        process.stdout.close()
        assert [server.invoke(body).status for body in (b"", GOOD_ROW, b"", GOOD_ROW)] == [400, 200, 400, 200]
        assert stop_server(server) == 0


@pytest.mark.parametrize("broken", ["absent", "signature", "model", "truncated"])
def test_a_model_that_cannot_be_served_ends_the_server_with_one_line(
    booster: lightgbm.Booster, tmp_path: Path, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    if broken != "absent":
        write_model(folder, booster)
    if broken == "signature":
        (folder / SIGNATURE_FILE).write_text("{}")
    if broken == "model":
        (folder / MODEL_FILE).unlink()
    if broken == "truncated":
        (folder / MODEL_FILE).write_bytes((folder / MODEL_FILE).read_bytes()[:-100])
    with pytest.raises(AssertionError, match="ended before it listened"):
        start_server(tmp_path, tmp_path / "log")
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"cannot serve the model in {folder}: ")


def test_a_port_that_is_taken_is_named(ml_root: Path, server: RunningServer) -> None:
    environment = server_environment(ml_root) | {PORT_VARIABLE: str(server.port)}
    ended = subprocess.run([*SERVE, "serve"], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"cannot listen on 127.0.0.1:{server.port}: ")
    assert ended.stderr.endswith("address already in use\n")


@pytest.mark.parametrize(
    ("arguments", "port", "reason"),
    [
        ([], "0", "usage: python -m serving serve [model.tar.gz or folder]"),
        (["train"], "0", "usage: python -m serving serve [model.tar.gz or folder]"),
        (["serve"], "80_80", "SAGEMAKER_BIND_TO_PORT is '80_80': it must be a port from 0 to 65535"),
        (["serve"], "70000", "SAGEMAKER_BIND_TO_PORT is '70000': it must be a port from 0 to 65535"),
    ],
)
def test_a_wrong_call_ends_with_two_and_one_line(ml_root: Path, arguments: list[str], port: str, reason: str) -> None:
    environment = server_environment(ml_root) | {PORT_VARIABLE: port}
    ended = subprocess.run([*SERVE, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"{reason}\n")
