"""What a bad request is told, and that the next one is answered."""

import time

import pytest

from serving.contract import MAX_BODY_BYTES
from tests.unit.serving.conftest import (
    GOOD_ROW,
    Answer,
    RunningServer,
)


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status", "error"),
    [
        ("POST", "/invocations", b"", "text/csv", 400, {"error": "the body is empty"}),
        ("POST", "/invocations", b"1,blue\n", "text/csv", 400, {"error": "has 2 fields, the model takes 5", "row": 1}),
        (
            "POST",
            "/invocations",
            GOOD_ROW + b"x,blue,2,2,3",
            "text/csv",
            400,
            {"error": "expected a number, got 'x'", "row": 2, "field": "width"},
        ),
        ("POST", "/invocations", b"{", "application/json", 400, None),
        ("POST", "/invocations", b"%PDF", "application/pdf", 415, None),
        ("GET", "/invocations", None, "", 405, {"error": "/invocations takes POST"}),
        ("POST", "/ping", b"", "", 405, {"error": "/ping takes GET, HEAD"}),
        ("GET", "/", None, "", 404, None),
        ("GET", "/%2e%2e/etc/passwd", None, "", 404, None),
    ],
)
def test_a_refusal_has_its_status_and_reason_and_the_next_request_is_answered(  # noqa: PLR0917 - a table's columns
    server: RunningServer,
    method: str,
    path: str,
    body: bytes | None,
    content_type: str,
    status: int,
    error: dict[str, object] | None,
) -> None:
    connection = server.connect()
    connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
    answer = Answer.read(connection.getresponse())
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.document == error if error else answer.document["error"]
    connection.request("POST", "/invocations", GOOD_ROW, {"Content-Type": "text/csv"})
    assert Answer.read(connection.getresponse()).status == 200
    connection.close()


def test_an_unacceptable_accept_header_is_refused(server: RunningServer) -> None:
    assert server.invoke(GOOD_ROW, Accept="image/png").status == 406


def test_a_body_over_the_limit_is_refused_and_its_sender_gets_to_read_why(server: RunningServer) -> None:
    answer = server.invoke(b"1" * 7_000_000)
    assert (answer.status, answer.document["error"]) == (413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    assert server.is_good()


def test_every_refusal_is_logged_without_the_requests_data(server: RunningServer) -> None:
    server.invoke(GOOD_ROW + b"1,blue,SECRET-IN-SECOND-ROW,2,3,4\n", X_Amzn_SageMaker_Inference_Id="logged")
    deadline = time.monotonic() + 20  # lines are written by a thread of their own
    while not (logged := [one for one in server.events() if one.get("inference_id") == "logged"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (event,) = logged
    assert (event["event"], event["status"], event["row"]) == ("request", 400, 2)
    assert "SECRET" not in server.log.read_text()
