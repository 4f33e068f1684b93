"""Nobody has to read the log for the server to answer."""

import fcntl
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from serving.lines import MAX_WAITING, Lines
from tests.unit.serving.conftest import SERVE, RunningServer, server_environment, stop_server

PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> tuple[int, int]:
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reads, writes


def read_all(reads: int) -> bytes:
    with os.fdopen(reads, "rb") as file:
        return file.read()


def test_lines_leave_whole_and_in_order_before_the_end(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    lines = Lines(lambda: None, writes)
    written = [b"%d %s\n" % (number, b"x" * (number % 500)) for number in range(8)]
    for line in written:
        lines.write(line)
    lines.close()
    os.close(writes)
    assert read_all(reads) == b"".join(written)


def test_lines_that_nobody_reads_are_dropped_and_counted(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    dropped = []
    lines = Lines(lambda: dropped.append(1), writes)
    line = b"x" * 99 + b"\n"
    for _ in range(MAX_WAITING + 1000):
        lines.write(line)
    assert 1000 - PIPE_BYTES // len(line) - 1 <= len(dropped) <= 1000
    os.close(reads)
    lines.close()
    os.close(writes)


def test_a_log_whose_reader_is_gone_is_no_error(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    os.close(reads)
    lines = Lines(lambda: None, writes)
    lines.write(b"gone\n")
    lines.close()
    os.close(writes)


def test_a_server_whose_output_nobody_reads_answers_on(ml_root: Path) -> None:
    process = subprocess.Popen([*SERVE, "serve"], env=server_environment(ml_root), stdout=subprocess.PIPE)
    assert process.stdout
    port = json.loads(process.stdout.readline())["port"]
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    server = RunningServer(process, port, ml_root)
    refused = MAX_WAITING + 500
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET /nowhere HTTP/1.1\r\n\r\n" * refused + b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(1 << 20), b""))
    assert answers.count(b"HTTP/1.1 404") == refused
    assert answers.count(b"HTTP/1.1 200") == 1
    (count,) = [
        line
        for line in server.ask("GET", "/metrics").body.splitlines()
        if line.startswith(b"sagestack_log_lines_dropped_total ")
    ]
    assert float(count.split()[1]) > 0
    assert stop_server(server) == 0
    process.stdout.close()


def test_an_unread_log_ends_with_its_server(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    lines = Lines(lambda: None, writes)
    for _ in range(200):
        lines.write(b"x" * 99 + b"\n")
    began = time.monotonic()
    lines.close(0.05)
    assert time.monotonic() - began < 10
    os.close(reads)
    lines.close()
    os.close(writes)
