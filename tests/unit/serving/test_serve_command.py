"""`sagestack serve` runs the very same server on an artifact, packed or not."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.contract import MODEL_DIRECTORY, MULTI_MODEL_VARIABLE
from tests.unit.serving.conftest import GOOD_ROW, RunningServer

SAGESTACK = (sys.executable, "-m", "infra.cli")


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """What a terminal does on Ctrl-C: every process in it is told."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen[bytes]) -> None:
    """What an editor's stop button does: the command alone is told."""
    process.terminate()


@pytest.mark.parametrize(("packed", "stop"), [(True, interrupt), (False, terminate)])
def test_an_artifact_is_served_until_the_command_is_stopped(
    ml_root: Path,
    tmp_path: Path,
    packed: bool,  # noqa: FBT001
    stop: Callable[[subprocess.Popen[bytes]], None],
) -> None:
    artifact = ml_root / MODEL_DIRECTORY
    if packed:
        artifact = tmp_path / "model.tar.gz"
        with tarfile.open(artifact, "w:gz") as archive:
            archive.add(ml_root / MODEL_DIRECTORY, ".")
    command = [*SAGESTACK, "serve", str(artifact), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        server = RunningServer(process, json.loads(process.stdout.readline())["port"], Path())
        assert server.invoke(GOOD_ROW).status == 200
        stop(process)
        process.stdout.read()
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (None, 2, "there is no {path}: name a model.tar.gz, or a folder with its files\n"),
        (b"", 1, "cannot serve {path}: {path.name} is not a readable gzipped tar archive"),
        (b"none", 1, "cannot serve {path}: {path.name} is not a readable gzipped tar archive"),
    ],
)
def test_what_is_no_artifact_is_refused(tmp_path: Path, content: bytes | None, code: int, reason: str) -> None:
    path = tmp_path / "artifact"
    if content is not None:
        path.write_bytes(content)
    ended = subprocess.run([*SAGESTACK, "serve", path], capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert ended.stderr.startswith(reason.format(path=path))


def test_an_archive_without_a_signature_is_called_as_its_owner_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(__file__, "model.txt")
    ended = subprocess.run([*SAGESTACK, "serve", path], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"cannot serve {path}: the model artifact has no signature.json\n"


def test_an_artifact_is_not_for_multi_model_mode(tmp_path: Path) -> None:
    environment = os.environ | {MULTI_MODEL_VARIABLE: "true"}
    ended = subprocess.run(
        [*SAGESTACK, "serve", tmp_path], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == "SAGEMAKER_MULTI_MODEL is true: such a server is told its models by /models\n"


@pytest.mark.parametrize("option", [("--port", "65536"), ("--workers", "0")])
def test_an_option_out_of_its_range_is_named(tmp_path: Path, option: tuple[str, str]) -> None:
    ended = subprocess.run([*SAGESTACK, "serve", tmp_path, *option], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"'{option[0]}'" in ended.stderr
