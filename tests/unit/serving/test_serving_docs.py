"""What docs/serving.md shows is what the server answers."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from serving.application import Application
from serving.contract import MODEL_DIRECTORY, MODEL_FILE
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature, sha256, write_signature
from serving.invocation import CONTENT_TYPES
from tests.unit.serving.conftest import PROJECT, RunningServer, start_server, stop_server

PAGE = (PROJECT / "docs" / "serving.md").read_text()
(SHOWN,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = re.findall(r"^\$ (curl .*)\n(.*)$", SHOWN, re.MULTILINE)
INPUTS = (Input("width", "numeric"), Input("depth", "numeric"), Input("colour", "categorical", ("blue", "red")))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says blue, with log-odds of 2."""
    rows = np.array([[1.0, 1.0, number % 2] for number in range(200)])
    data = lightgbm.Dataset(rows, 1 - rows[:, 2], categorical_feature=[2], params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 2, "max_cat_to_onehot": 2}
    booster = lightgbm.train(settings, data, 1)
    left, _ = (booster.predict(rows[:2]) > 0.5).tolist()
    text = booster.model_to_string()
    assert left
    codes = re.search(r"^cat_threshold=(.*)$", text, re.MULTILINE)
    assert codes
    values = "2 -2" if codes[1] == "1" else "-2 2"
    text = re.sub(
        r"^tree_sizes=.*\n",
        "",
        re.sub(r"^leaf_value=.*$", f"leaf_value={values}", text, flags=re.MULTILINE),
        flags=re.MULTILINE,
    )
    folder = tmp_path_factory.mktemp("ml") / MODEL_DIRECTORY
    folder.mkdir()
    (folder / MODEL_FILE).write_text(text)
    digest = sha256(text.encode())
    write_signature(Signature("boxes", "binary-classification", "4.7.0", MODEL_FILE, digest, INPUTS, 0.5), folder)
    return folder.parent


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
