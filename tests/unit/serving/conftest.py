"""A real LightGBM model with awkward categories, and the real server as a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from serving.contract import (
    HOST_VARIABLE,
    ML_ROOT_VARIABLE,
    MODEL_DIRECTORY,
    MODEL_FILE,
    PORT_VARIABLE,
    TREES_LIBRARY_VARIABLE,
    WORKERS_VARIABLE,
)
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature, sha256, write_signature

PROJECT = Path(__file__).resolve().parents[3]
SERVE = (sys.executable, "-m", "serving")
COLOURS = ("blue", "dark_red", "gr,een", "größe", 'qu"ote', "two\nlines", " padded ")
SIZES = ("1", "2", "3")
INPUTS = (
    Input("width", "numeric"),
    Input("colour", "categorical", COLOURS),
    Input("height", "numeric"),
    Input("size", "categorical", SIZES),
    Input("depth", "numeric"),
)
GOOD_ROW = b"1.5,blue,2.5,2,-3\n"
REQUEST = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s"


def edge_rows(rows: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows with missing values, infinities, huge values, and codes of no category."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, len(INPUTS))) * 10.0 ** random.integers(-3, 3, size=(rows, 1))
    matrix[:, 1] = random.integers(0, len(COLOURS), size=rows)
    matrix[:, 3] = random.integers(0, len(SIZES), size=rows)
    for value in (np.nan, np.inf, -np.inf, 1e300, -1e300, 5e-324, 0.0, -0.0):
        matrix[random.random(matrix.shape) < 0.02] = value
    matrix[:, [1, 3]] = np.where(
        np.isfinite(matrix[:, [1, 3]]) & (np.abs(matrix[:, [1, 3]]) < 7), matrix[:, [1, 3]], np.nan
    )
    return matrix


@pytest.fixture(scope="session")
def booster() -> lightgbm.Booster:
    matrix = edge_rows(3000, seed=1)
    clean = np.nan_to_num(matrix, posinf=9, neginf=-9)
    labels = (np.clip(clean[:, 0], -5, 5) + 2 * (clean[:, 1] == 2) - (clean[:, 3] == 1) > 0).astype(float)
    data = lightgbm.Dataset(matrix, labels, categorical_feature=[1, 3], params={"verbosity": -1})
    return lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}, data, 40)


@pytest.fixture(scope="session")
def ml_root(booster: lightgbm.Booster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ml")
    write_model(root / MODEL_DIRECTORY, booster)
    return root


@pytest.fixture(scope="session")
def signature(predictor: Predictor) -> Signature:
    return predictor.signature


@pytest.fixture(scope="session")
def predictor(ml_root: Path) -> Predictor:
    return Predictor.load(ml_root / MODEL_DIRECTORY)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image's build stage compiles."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path = tmp_path_factory.mktemp("library") / "trees.so"
    options = ("-O3", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
    sources = sorted((PROJECT / "serving").glob("**/*.c"))
    options += tuple(os.environ.get("CFLAGS", "").split())  # `make sanitize` has some
    subprocess.run(["cc", *options, "-o", path, *sources, "-lm"], check=True)
    return path


@pytest.fixture(scope="session")
def oracles(oracle: Callable[[Path], Path]) -> Path:
    """Other libraries' models and predictions."""
    return oracle(Path(__file__).with_name("oracle_models.py"))


def write_model(folder: Path, booster: lightgbm.Booster) -> None:
    model = booster.model_to_string().encode()
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(model)
    signature = Signature(
        "boxes", "binary-classification", lightgbm.__version__, MODEL_FILE, sha256(model), INPUTS, 0.5
    )
    write_signature(signature, folder)


@dataclass
class RunningServer:
    """A server process, its port, and the file with its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> "Answer":
        connection = self.connect()
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return Answer.read(connection.getresponse())
        finally:
            connection.close()

    def invoke(self, body: bytes, content_type: str = "text/csv", **headers: str) -> "Answer":
        return self.ask("POST", "/invocations", body, Content_Type=content_type, **headers)

    def is_good(self) -> bool:
        return self.invoke(GOOD_ROW).status == 200

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def receive(client: socket.socket, until: bytes = b"") -> bytes:
    """What arrives until `until` does, or to the end."""
    received = b""
    while not (until and until in received):
        piece = client.recv(65536)
        if not piece:
            break
        received += piece
    return received


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def read(cls, response: HTTPResponse) -> "Answer":
        return cls(response.status, dict(response.getheaders()), response.read())

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def server_environment(root: Path) -> dict[str, str]:
    ours = {ML_ROOT_VARIABLE: str(root), HOST_VARIABLE: "127.0.0.1", PORT_VARIABLE: "0", "PYTHONPATH": str(PROJECT)}
    return {**os.environ, **ours}


def start_server(root: Path, log: Path) -> RunningServer:
    with log.open("wb") as output:
        process = subprocess.Popen([*SERVE, "serve"], env=server_environment(root), stdout=output)
    deadline = time.monotonic() + 20
    while b"\n" not in (written := log.read_bytes()):
        assert process.poll() is None, "the server ended before it listened"
        assert time.monotonic() < deadline, "the server did not listen in 20 seconds"
        time.sleep(0.01)
    return RunningServer(process, json.loads(written.splitlines()[0])["port"], log)


def stop_server(server: RunningServer) -> int:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
    try:
        return server.process.wait(30)
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def as_in_the_image(request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """An environment with the compiled library, where it can be compiled; without it, a server is as careful."""
    with pytest.MonkeyPatch.context() as patch:
        if shutil.which("cc"):
            patch.setenv(TREES_LIBRARY_VARIABLE, str(request.getfixturevalue("library")))
        yield patch


@pytest.fixture(scope="module")
def server(
    ml_root: Path, tmp_path_factory: pytest.TempPathFactory, as_in_the_image: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    with as_in_the_image.context():
        running = start_server(ml_root, tmp_path_factory.mktemp("server") / "log")
    yield running
    assert stop_server(running) == 0


@pytest.fixture(scope="module")
def two_workers(
    ml_root: Path, tmp_path_factory: pytest.TempPathFactory, as_in_the_image: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    with as_in_the_image.context() as patch:
        patch.setenv(WORKERS_VARIABLE, "2")
        server = start_server(ml_root, tmp_path_factory.mktemp("workers") / "log")
    wait_for(server, "listening", 2)
    yield server
    assert stop_server(server) == 0


def wait_for(server: RunningServer, event: str, times: int) -> None:
    deadline = time.monotonic() + 20
    while sum(one.get("event") == event for one in server.events()) < times:
        assert time.monotonic() < deadline
        time.sleep(0.02)
