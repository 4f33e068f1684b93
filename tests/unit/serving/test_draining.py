"""SIGTERM loses no request."""

import json
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from serving.server import QUIET_SECONDS
from tests.unit.serving.conftest import (
    GOOD_ROW,
    REQUEST,
    SERVE,
    Answer,
    RunningServer,
    receive,
    server_environment,
    start_server,
    stop_server,
)


def test_sigterm_turns_ping_to_503_lets_requests_finish_and_ends_with_zero(ml_root: Path, tmp_path: Path) -> None:
    server = start_server(ml_root, tmp_path / "log")
    with server.raw() as slow, server.raw() as idle:
        slow.sendall((REQUEST % (len(GOOD_ROW), GOOD_ROW))[:-5])
        idle.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert receive(idle, b"}").startswith(b"HTTP/1.1 200 OK")
        server.process.send_signal(signal.SIGTERM)
        while len(server.events()) < 3:
            time.sleep(0.01)
        assert server.ask("GET", "/ping").status == 503
        assert server.is_good()
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
