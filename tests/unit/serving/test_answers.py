"""What a good request is answered, by the real server over real sockets."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest

from serving.contract import INFERENCE_ID_HEADER, MAX_BODY_BYTES
from tests.unit.serving.conftest import (
    GOOD_ROW,
    Answer,
    RunningServer,
)


def test_ping_says_that_the_model_is_loaded(server: RunningServer) -> None:
    answer = server.ask("GET", "/ping")
    assert (answer.status, answer.document) == (200, {"status": "ready", "model": "boxes"})
    assert server.ask("HEAD", "/ping").status == 200


def test_each_content_type_is_answered_in_kind_with_the_librarys_score(
    server: RunningServer, booster: lightgbm.Booster
) -> None:
    score = booster.predict(np.array([[1.5, 0, 2.5, 1, -3]]))[0]
    label = int(score >= 0.5)
    as_csv = server.invoke(GOOD_ROW)
    as_json = server.invoke(b'{"instances": [[1.5, "blue", 2.5, "2", -3]]}', "application/json")
    as_lines = server.invoke(b'[1.5, "blue", 2.5, "2", -3]\n' * 2, "application/jsonlines; charset=utf-8")
    assert (as_csv.headers["Content-Type"], float(as_csv.body)) == ("text/csv", score)
    assert as_json.document == {"predictions": [{"score": score, "label": label}]}
    assert [json.loads(line) for line in as_lines.body.splitlines()] == [{"score": score, "label": label}] * 2


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/json", "application/json"),
        ("application/jsonlines;q=0.9, text/csv;q=0.1", "application/jsonlines"),
        ("image/png, */*", "text/csv"),
        ("text/*", "text/csv"),
    ],
)
def test_the_accept_header_chooses(server: RunningServer, accept: str, answered: str) -> None:
    assert server.invoke(GOOD_ROW, Accept=accept).headers["Content-Type"] == answered


def test_the_inference_id_is_echoed_with_answers_and_refusals(server: RunningServer) -> None:
    for body in (GOOD_ROW, b""):
        assert server.invoke(body, X_Amzn_SageMaker_Inference_Id="order-7").headers[INFERENCE_ID_HEADER] == "order-7"
    assert INFERENCE_ID_HEADER not in server.invoke(GOOD_ROW).headers


def test_concurrent_clients_each_get_their_own_answer(server: RunningServer, booster: lightgbm.Booster) -> None:
    def ask_many(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - test data
        connection = server.connect()
        for _ in range(40):
            widths = [chance.uniform(-10, 10) for _ in range(chance.choice([1, 1, 1, 5, 2500]))]
            body = b"".join(b"%r,blue,2.5,2,-3\n" % width for width in widths)
            identifier = str(chance.random())
            headers = {"Content-Type": "text/csv", INFERENCE_ID_HEADER: identifier}
            connection.request("POST", "/invocations", body, headers)
            answer = Answer.read(connection.getresponse())
            expected = booster.predict(np.array([[width, 0, 2.5, 1, -3] for width in widths]), num_threads=1)
            assert answer.headers[INFERENCE_ID_HEADER] == identifier
            assert [float(line) for line in answer.body.split()] == expected.tolist()
        connection.close()

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask_many, range(8)))


def test_ping_answers_while_a_large_body_is_scored(server: RunningServer) -> None:
    body = GOOD_ROW * (MAX_BODY_BYTES // len(GOOD_ROW))
    with ThreadPoolExecutor(1) as client:
        large = client.submit(server.invoke, body)
        slowest = 0.0
        while not large.done():
            began = time.monotonic()
            assert server.ask("GET", "/ping").status == 200
            slowest = max(slowest, time.monotonic() - began)
    assert large.result().body.count(b"\n") == body.count(b"\n")
    assert slowest < 2.0
