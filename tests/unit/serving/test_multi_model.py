"""SageMaker's contract for many models behind one endpoint, against the real server."""

import json
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import lightgbm
import numpy as np
import psutil
import pytest
from openapi_spec_validator import validate

from serving.contract import (
    MODEL_FILE,
    MODELS_MEMORY_VARIABLE,
    MULTI_MODEL_VARIABLE,
    SIGNATURE_FILE,
    WORKERS_VARIABLE,
)
from serving.core.errors import ArtifactError
from serving.core.signature import Signature, sha256, write_signature
from serving.multi_model.memory import model_bytes
from serving.trial import Trial
from tests.unit.serving.conftest import (
    GOOD_ROW,
    INPUTS,
    Answer,
    RunningServer,
    start_server,
    stop_server,
    write_model,
)

MEMORY_MIB = 8
ROW = np.array([[1.5, 0, 2.5, 1, -3]])


@pytest.fixture(scope="module")
def small(booster: lightgbm.Booster) -> lightgbm.Booster:
    """Another model of the same inputs."""
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=5))


@pytest.fixture(scope="module")
def models(booster: lightgbm.Booster, small: lightgbm.Booster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_model(root / "large", booster)
    write_model(root / "small", small)
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("ml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MULTI_MODEL_VARIABLE, "true")
        patch.setenv(WORKERS_VARIABLE, "cores")
        patch.setenv(MODELS_MEMORY_VARIABLE, str(MEMORY_MIB))
        running = start_server(root, root / "log")
    yield running
    assert stop_server(running) == 0


@pytest.fixture(autouse=True)
def nothing_is_left_loaded(server: RunningServer) -> Iterator[None]:
    yield
    for model in server.ask("GET", "/models").document["models"]:
        assert server.ask("DELETE", f"/models/{quote(model['modelName'], safe='')}").status == 200


def load(server: RunningServer, name: str, folder: Path) -> Answer:
    body = json.dumps({"model_name": name, "url": str(folder)}).encode()
    return server.ask("POST", "/models", body, Content_Type="application/json")


def score(server: RunningServer, name: str) -> float:
    answer = server.ask("POST", f"/models/{name}/invoke", GOOD_ROW, Content_Type="text/csv")
    assert answer.status == 200
    return float(answer.body)


def test_models_are_loaded_told_listed_asked_and_unloaded(
    server: RunningServer, models: Path, booster: lightgbm.Booster, small: lightgbm.Booster
) -> None:
    assert server.ask("GET", "/ping").document == {"status": "ready", "models": 0}
    told = [{"modelName": name, "modelUrl": str(models / name)} for name in ("large", "small")]
    assert [load(server, name, models / name).document for name in ("large", "small")] == told
    assert server.ask("GET", "/models").document == {"models": told}
    assert server.ask("GET", "/models?next_page_token=large").document == {"models": told[1:]}
    assert server.ask("GET", "/models/small").document == told[1]
    assert (score(server, "large"), score(server, "small")) == (booster.predict(ROW)[0], small.predict(ROW)[0])
    assert load(server, "small", models / "large").status == 409
    assert server.ask("DELETE", "/models/small").document == told[1]
    gone = [("GET", "/models/small"), ("DELETE", "/models/small"), ("POST", "/models/small/invoke")]
    assert [server.ask(method, path).status for method, path in gone] == [404, 404, 404]
    assert load(server, "small", models / "large").status == 200
    assert score(server, "small") == booster.predict(ROW)[0]
    assert [one["loaded"] for one in server.events() if "loaded" in one] == ["boxes"] * 3


def test_any_text_is_a_name(server: RunningServer, models: Path) -> None:
    for name in ("a/b", "größe", "100%", "models", "invoke", "?", " ", "\x00"):
        assert load(server, name, models / "small").document["modelName"] == name
        assert server.ask("GET", f"/models/{quote(name, safe='')}").document["modelName"] == name
        score(server, quote(name, safe=""))


def test_the_others_answer_while_a_model_is_loading(
    server: RunningServer, models: Path, small: lightgbm.Booster, tmp_path: Path
) -> None:
    load(server, "small", models / "small")
    write_model(tmp_path / "slow", small)
    content = (tmp_path / "slow" / MODEL_FILE).read_bytes()
    (tmp_path / "slow" / MODEL_FILE).unlink()
    os.mkfifo(tmp_path / "slow" / MODEL_FILE)  # whoever reads it waits until somebody writes
    with ThreadPoolExecutor(1) as client:
        loading = client.submit(load, server, "slow", tmp_path / "slow")
        scores = {score(server, "small") for _ in range(50)}
        large = server.ask("POST", "/models/small/invoke", GOOD_ROW * 9000, Content_Type="text/csv")
        assert not loading.done()
        assert server.ask("GET", "/models/slow").status == 404
        with (tmp_path / "slow" / MODEL_FILE).open("wb") as waited_for:
            (tmp_path / "whole").write_bytes(content)
            (tmp_path / "whole").replace(tmp_path / "slow" / MODEL_FILE)
            waited_for.write(content)
        assert loading.result().status == 200
    assert scores == {small.predict(ROW)[0]}
    assert large.body.count(b"\n") == 9000


def corrupt(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / MODEL_FILE).write_bytes(content)
    signature = Signature("boxes", "binary-classification", "4.7.0", MODEL_FILE, sha256(content), INPUTS, 0.5)
    write_signature(signature, folder)


@pytest.mark.parametrize("damage", ["half", "a field less", "no model"])
def test_a_corrupt_model_is_refused_and_the_others_go_on(
    server: RunningServer, models: Path, tmp_path: Path, damage: str
) -> None:
    load(server, "small", models / "small")
    text = (models / "large" / MODEL_FILE).read_bytes()
    cut = text.index(b"leaf_value=")
    damaged = {"half": text[: len(text) // 2], "a field less": text[:cut] + text[cut + 40 :], "no model": b"PK\x03\x04"}
    corrupt(tmp_path / "corrupt", damaged[damage])
    answer = load(server, "corrupt", tmp_path / "corrupt")
    assert answer.status == 400
    assert answer.document["error"].startswith("the model cannot be served: ")
    assert damage != "a field less" or "the model file is corrupt: " in answer.document["error"]
    assert server.ask("GET", "/ping").document == {"status": "ready", "models": 1}
    assert score(server, "small")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", {"error": "the body is not JSON: Input is a zero-length, empty document: line 1 column 1 (char 0)"}),
        (b"[]", {"error": 'expected {"model_name": …, "url": …}'}),
        (b'{"url": "/a"}', {"error": "must be a text of 1 to 1024 characters", "field": "model_name"}),
        (b'{"model_name": ""}', {"error": "must be a text of 1 to 1024 characters", "field": "model_name"}),
        (
            b'{"model_name": "a", "url": "s3://b/c"}',
            {"error": "must be the absolute path of an unpacked model's folder", "field": "url"},
        ),
        (
            b'{"model_name": "a", "url": "/nowhere"}',
            {"error": f"the model cannot be served: the model artifact has no {SIGNATURE_FILE}"},
        ),
    ],
)
def test_a_load_that_cannot_be_meant_is_refused(server: RunningServer, body: bytes, error: dict[str, str]) -> None:
    answer = server.ask("POST", "/models", body, Content_Type="application/json")
    assert (answer.status, answer.document) == (400, error)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/models", 405),
        ("POST", "/models/a", 405),
        ("GET", "/models/a/invoke", 405),
        ("GET", "/models/", 404),
        ("GET", "/models/%ff", 404),
        ("GET", "/models/a/b", 404),
        ("POST", "/invocations", 404),
    ],
)
def test_other_methods_and_paths_are_refused(server: RunningServer, method: str, path: str, status: int) -> None:
    answer = server.ask(method, path)
    assert answer.status == status
    assert answer.document["error"]


def test_a_model_that_does_not_fit_is_refused_with_507_until_another_is_unloaded(
    server: RunningServer, models: Path
) -> None:
    fitting = MEMORY_MIB * 2**20 // model_bytes(models / "large")
    answers = [load(server, f"{number}", models / "large") for number in range(fitting)]
    assert [one.status for one in answers] == [200] * fitting
    refused = load(server, "one more", models / "large")
    assert refused.status == 507
    assert re.fullmatch(
        r"the model takes about 0\.\d MiB, the \d+ that are loaded \d+\.\d MiB, and the limit is 8\.0 MiB: "
        "unload a model first",
        refused.document["error"],
    )
    assert server.ask("DELETE", "/models/0").status == 200
    assert load(server, "one more", models / "large").status == 200


def test_models_that_come_and_go_leave_no_memory_behind(server: RunningServer, models: Path) -> None:
    def come_and_go(times: int) -> int:
        for _ in range(times):
            load(server, "guest", models / "large")
            server.ask("DELETE", "/models/guest")
        return int(psutil.Process(server.process.pid).memory_info().rss)

    before = come_and_go(5)
    assert come_and_go(20) - before < 3 * model_bytes(models / "large")


def test_a_trial_process_that_dies_is_replaced(server: RunningServer, models: Path) -> None:
    (trial,) = psutil.Process(server.process.pid).children()
    trial.kill()
    while trial.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert load(server, "small", models / "small").status == 200


def test_the_description_is_valid_and_has_every_path(server: RunningServer) -> None:
    document = server.ask("GET", "/openapi.json").document
    validate(document)
    assert set(document["paths"]) == {
        *("/models", "/models/{name}", "/models/{name}/invoke"),
        *("/ping", "/metrics", "/openapi.json"),
    }


def test_a_trial_that_hangs_ends_with_the_server(tmp_path: Path) -> None:
    corrupt(tmp_path / "hanging", b"")
    (tmp_path / "hanging" / MODEL_FILE).unlink()
    os.mkfifo(tmp_path / "hanging" / MODEL_FILE)  # whoever reads it waits until somebody writes
    trial = Trial()
    with ThreadPoolExecutor(1) as thread:
        tried = thread.submit(trial.try_out, tmp_path / "hanging")
        (waiting,) = [one for one in psutil.Process().children() if Trial.__module__ in one.cmdline()]
        while not (trying := waiting.children()):
            time.sleep(0.01)
        trial.close()
        with pytest.raises(ArtifactError, match="the server is ending"):
            tried.result()
    assert not psutil.wait_procs([waiting, *trying], timeout=10)[1]
