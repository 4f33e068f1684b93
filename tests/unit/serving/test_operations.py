"""What the server tells those who run it, and how its workers live."""

import dataclasses
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from serving.application import Application
from serving.contract import (
    CUSTOM_ATTRIBUTES_HEADER,
    INVOCATIONS_PATH,
    METRIC_NAMESPACE,
    MODEL_DIRECTORY,
    REQUEST_ID_HEADER,
    WORKERS_VARIABLE,
)
from serving.core.output import OUTPUTS
from serving.core.predictor import Predictor
from serving.core.signature import read_model
from serving.described import OPENAPI
from serving.invocation import CONTENT_TYPES
from serving.message import Request, Response
from serving.metrics import Metrics, shared_memory
from serving.settings import Settings
from serving.variables import SettingsError
from tests.unit.serving.conftest import GOOD_ROW, INPUTS, RunningServer, start_server, stop_server, wait_for


@pytest.fixture
def application(predictor: Predictor) -> Application:
    return Application(predictor)


def metric(server: RunningServer, name: str) -> float:
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def test_counts_are_sums_over_all_workers(two_workers: RunningServer) -> None:
    before = metric(two_workers, 'sagestack_requests_total{code="200"}'), metric(two_workers, "sagestack_rows_total")
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(two_workers.invoke, [GOOD_ROW * 3] * 40))
    assert {answer.status for answer in answers} == {200}
    assert metric(two_workers, "sagestack_rows_total") - before[1] == 120
    assert metric(two_workers, 'sagestack_requests_total{code="200"}') - before[0] >= 40
    assert metric(two_workers, 'sagestack_invocation_seconds_bucket{le="+Inf"}') >= 40


def test_a_worker_that_dies_is_replaced(two_workers: RunningServer) -> None:
    time.sleep(1.0)
    first, second = psutil.Process(two_workers.process.pid).children()
    listening = sum(one.get("event") == "listening" for one in two_workers.events())
    os.kill(first.pid, signal.SIGKILL)
    wait_for(two_workers, "listening", listening + 1)
    now = {one.pid for one in psutil.Process(two_workers.process.pid).children()}
    assert second.pid in now
    assert len(now) == 2
    assert first.pid not in now
    assert all(two_workers.invoke(GOOD_ROW).status == 200 for _ in range(10))


def test_sigterm_drains_every_worker(ml_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS_VARIABLE, "2")
    server = start_server(ml_root, tmp_path / "log")
    wait_for(server, "listening", 2)
    assert stop_server(server) == 0
    assert [one["event"] for one in server.events() if "event" in one].count("stopped") == 2


@pytest.mark.parametrize(("text", "workers"), [("1", 1), ("7", 7), ("cores", len(os.sched_getaffinity(0)))])
def test_the_number_of_workers_is_read(text: str, workers: int) -> None:
    assert Settings.read({WORKERS_VARIABLE: text}).workers == workers


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "257", "1.0"])
def test_a_number_of_workers_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="it must be cores, or a number from 1 to 256"):
        Settings.read({WORKERS_VARIABLE: text})


def test_every_answer_has_a_request_id_its_own_or_the_clients(two_workers: RunningServer) -> None:
    given_ids = [two_workers.invoke(body).headers[REQUEST_ID_HEADER] for body in (GOOD_ROW, b"", GOOD_ROW)]
    assert len(set(given_ids)) == 3
    assert two_workers.invoke(GOOD_ROW, X_Request_Id="mine").headers[REQUEST_ID_HEADER] == "mine"


def test_custom_attributes_choose_the_output_and_are_echoed(two_workers: RunningServer) -> None:
    answer = two_workers.invoke(GOOD_ROW, X_Amzn_SageMaker_Custom_Attributes="trace=7&output=label")
    assert answer.body in (b"0\n", b"1\n")
    assert answer.headers[CUSTOM_ATTRIBUTES_HEADER] == "trace=7&output=label"


def test_a_batch_transform_is_told_its_parameters(application: Application) -> None:
    response = application.respond(Request(b"GET", b"/execution-parameters"))
    expected = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
    assert json.loads(response.body) == expected


def test_the_description_is_served_valid_and_in_step_with_the_code(application: Application) -> None:
    document = json.loads(application.respond(Request(b"GET", b"/openapi.json")).body)
    validate(document)
    assert set(document["paths"]) == {INVOCATIONS_PATH, *(path.decode() for path in application._pages)}
    post = document["paths"][INVOCATIONS_PATH]["post"]
    assert set(post["requestBody"]["content"]) == set(post["responses"]["200"]["content"]) == set(CONTENT_TYPES)
    assert post["parameters"][0]["schema"]["enum"] == list(OUTPUTS)
    committed = json.loads(OPENAPI.read_text())
    assert OPENAPI.read_text() == json.dumps(committed, indent=2) + "\n"
    row = document["components"]["schemas"]["Row"]["oneOf"]
    assert [one["title"] for one in row[0]["prefixItems"]] == list(row[1]["properties"]) == [one.name for one in INPUTS]
    for example in ("text/csv", "application/jsonlines"):
        body = post["requestBody"]["content"][example]["example"].encode()
        asked = Request(b"POST", b"/invocations", content_type=example.encode(), body=body)
        assert application.respond(asked).status == 200


def test_a_model_of_another_library_version_is_warned_of(predictor: Predictor, ml_root: Path) -> None:
    assert predictor.warning is None
    older = dataclasses.replace(predictor.signature, library_version="3.3.5")
    other = Predictor(older, read_model(older, ml_root / MODEL_DIRECTORY))
    assert other.warning
    assert other.warning.startswith("the model was trained with lightgbm 3.3.5 and is served with ")


def answered(code: int, rows: int = 0, milliseconds: float = 1.0, unknown: int = 0) -> Response:
    return Response(code, facts={"rows": rows, "milliseconds": milliseconds, "unknown_categories": {"size": unknown}})


@given(st.lists(st.tuples(st.sampled_from([200, 400, 503]), st.integers(0, 99), st.floats(0, 99_999)), max_size=20))
def test_two_workers_counts_add_up(answers: list[tuple[int, int, float]]) -> None:
    memory = shared_memory(2)
    workers = [Metrics(memory, 0), Metrics(memory, 1)]
    for number, (code, rows, milliseconds) in enumerate(answers):
        workers[number % 2].count(answered(code, rows, milliseconds))
    text = workers[0].prometheus("model", "lightgbm").decode()
    assert f"sagestack_rows_total {sum(rows for _, rows, _ in answers)}\n" in text
    assert f"sagestack_invocation_seconds_count {sum(bool(rows) for _, rows, _ in answers)}\n" in text
    assert text == workers[1].prometheus("model", "lightgbm").decode()


def test_an_embedded_metric_has_what_is_new_since_the_last() -> None:
    metrics = Metrics()
    for code in (200, 200, 400, 503):
        metrics.count(answered(code, rows=2 if code == 200 else 0, unknown=1))
    document = metrics.embedded("boxes")
    assert document
    assert document["_aws"]["CloudWatchMetrics"][0]["Namespace"] == METRIC_NAMESPACE
    counts = {
        name: document[name] for name in ("Requests", "Rows", "UnknownCategories", "ClientErrors", "ServerErrors")
    }
    assert list(counts.values()) == [4, 4, 2, 1, 1]
    assert metrics.embedded("boxes") is None
