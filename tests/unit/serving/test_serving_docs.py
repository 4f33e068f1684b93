"""What docs/serving.md shows is what the server answers."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.application import Application
from serving.contract import MODEL_DIRECTORY
from serving.core.predictor import Predictor
from serving.invocation import CONTENT_TYPES
from tests.unit.serving.conftest import PROJECT, RunningServer, start_server, stop_server
from tests.unit.serving.documented_model import write_documented_model

PAGE = (PROJECT / "docs" / "serving.md").read_text()
(SHOWN,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = re.findall(r"^\$ (curl .*)\n(.*)$", SHOWN, re.MULTILINE)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ml")
    write_documented_model(folder / MODEL_DIRECTORY)
    return folder


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(root, tmp_path_factory.mktemp("log") / "log")
    yield running
    assert stop_server(running) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_the_examples_answer_as_shown(server: RunningServer, command: str, output: str) -> None:
    words = shlex.split(command.replace("localhost:8080", f"127.0.0.1:{server.port}"))
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.rstrip("\n") == output


def test_every_path_and_content_type_is_described(root: Path) -> None:
    paths = [path.decode() for path in Application(Predictor.load(root / MODEL_DIRECTORY))._pages]
    assert all(f"`GET {path}`" in PAGE for path in paths)
    assert all(f"`{one}`" in PAGE for one in CONTENT_TYPES)
    assert len(EXAMPLES) == 4
