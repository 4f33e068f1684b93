"""`sagestack serve` runs the very same server on an artifact, packed or not."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from serving.contract import MODEL_DIRECTORY
from tests.unit.serving.conftest import GOOD_ROW, RunningServer

SAGESTACK = (sys.executable, "-m", "infra.cli")


@pytest.mark.parametrize("packed", [True, False])
def test_an_artifact_is_served_until_interrupted(ml_root: Path, tmp_path: Path, packed: bool) -> None:  # noqa: FBT001
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
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (None, 2, "there is no {path}: name a model.tar.gz, or a folder with its files\n"),
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
