"""What cannot be served, or listened on, ends the server with one line."""

import subprocess
from dataclasses import replace
from pathlib import Path

import lightgbm
import pytest

from serving.contract import MODEL_FILE, PORT_VARIABLE, SIGNATURE_FILE
from serving.core.signature import read_signature, sha256, write_signature
from tests.unit.serving.conftest import (
    SERVE,
    RunningServer,
    server_environment,
    start_server,
    write_model,
)


@pytest.mark.parametrize("broken", ["absent", "signature", "model", "truncated", "damaged, and signed as it is"])
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
    if broken == "damaged, and signed as it is":
        damaged = (folder / MODEL_FILE).read_bytes().replace(b"leaf_value=", b"leaf_values=", 1)
        write_signature(replace(read_signature(folder), model_sha256=sha256(damaged)), folder)
        (folder / MODEL_FILE).write_bytes(damaged)
    with pytest.raises(AssertionError, match="ended before it listened"):
        start_server(tmp_path, tmp_path / "log")
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"cannot serve the model in {folder}: ")


def test_a_port_that_is_taken_is_named(ml_root: Path, server: RunningServer) -> None:
    environment = server_environment(ml_root) | {PORT_VARIABLE: str(server.port)}
    ended = subprocess.run([*SERVE, "serve"], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    reason = "address already in use: choose another port, or end what has it"
    assert ended.stderr == f"cannot listen on 127.0.0.1:{server.port}: {reason}\n"


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
