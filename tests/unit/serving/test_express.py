"""The express lane answers as the careful path does, byte for byte, and leaves to it whatever is not plain."""

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.application import Application
from serving.contract import TREES_LIBRARY_VARIABLE
from serving.core.predictor import Predictor
from serving.express import MOST_ROWS, Express
from serving.lanes import LARGE_BODY_BYTES
from serving.log import SAMPLED_ONE_IN, Log
from serving.metrics import Metrics
from serving.reader import RequestReader
from tests.unit.serving.conftest import COLOURS, MODEL_DIRECTORY

ROW = b"1.5,blue,2.5,2,-3\n"
ROW_JSON = b'[[1.5,"blue",2.5,"2",null]]'
START = b"POST /invocations HTTP/1.1"
LINES = st.sampled_from(
    [
        b"Content-Type: text/csv", b"Content-Type: application/json",
        b"content-type:text/csv", b"Content-Type: TEXT/CSV", b"X-Request-Id: mine ",
        b"Content-Type: text/csv; charset=utf-8", b"Accept: */*", b"Accept: text/csv", b"Accept: application/json",
        b"Accept: text/*", b"Accept: image/png", b"X-Request-Id: mine", b"x-request-id: other", b"X-Request-Id:",
        b"X-Amzn-SageMaker-Inference-Id: 7", b"X-Amzn-SageMaker-Inference-Id:  8", b"Host: a", b"User-Agent: b c",
        b"X-Amzn-SageMaker-Custom-Attributes: output=label", b"Connection: keep-alive", b"Connection: close",
        b"Connection: Keep-Alive", b"Proxy-Connection: close", b"Expect: 100-continue", b"Upgrade: h2c",
        b"Transfer-Encoding: chunked", b"no colon", b" folded", b"Space : a", b": empty", b"X-Tab:\ta", b"X-Bare: a\rb",
        b"X-Nul: \0", b"X-High: \xff", b"Content-Length: 3", b"Content-Length: +3", b"Content-Length: 1_8",
    ]
)  # fmt: skip
STARTS = st.sampled_from([START, START, START, b"post /invocations HTTP/1.1", b"PUT /invocations HTTP/1.1"]) | (
    st.sampled_from([b"POST /invocations?output=label HTTP/1.1", b"POST /invocations HTTP/1.0", b"POST / HTTP/1.1"])
)
BODIES = st.sampled_from(
    [ROW, ROW, ROW.strip(), 3 * ROW, 20 * ROW, ROW_JSON, b'{"instances":%b}' % ROW_JSON, b"1.5,wide,2.5,2,-3\n", b"",
     b"width,colour,height,size,depth\n" + ROW, b"1e-320,,1e308,,-0.0\n", b"[]", b"1,2,3", ROW + b"\0", ROW + b"POST"]
)  # fmt: skip


@pytest.fixture(scope="module")
def application(library: Path, ml_root: Path) -> Iterator[Application]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TREES_LIBRARY_VARIABLE, str(library))
        yield Application(Predictor.load(ml_root / MODEL_DIRECTORY))


def lane(application: Application, metrics: Metrics | None = None, passing: int = 10**9) -> Express:
    log = Log(lambda _line: None)
    log.passing = passing
    express = application.express(metrics or Metrics(), log, repeat(b"new"))
    assert express
    return express


def carefully(application: Application, data: bytes, metrics: Metrics | None = None) -> bytes | None:
    """What the careful path sends in answer to the one whole request in `data`, if that is what it is."""
    reader = RequestReader()
    reader.feed(data)
    if reader.refusal or reader.receiving or len(reader.complete) != 1 or not reader.complete[0].keep_alive:
        return None
    response = application.respond(reader.complete[0])
    if metrics:
        metrics.count(response)
    reader.complete[0].request_id = reader.complete[0].request_id or b"new"
    return response.encode(reader.complete[0], close=False)


def request(body: bytes, *lines: bytes, start: bytes = START) -> bytes:
    return b"\r\n".join([start, *lines, b"Content-Length: %d" % len(body), b"", body])


CSV = b"Content-Type: text/csv"


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (ROW, [CSV]),
        (ROW, [b"Host: a:1", CSV, b"Accept: */*", b"User-Agent: c", b"Connection: Keep-Alive"]),
        (ROW, [CSV, b"Accept: application/json"]),
        (ROW_JSON, [b"content-type: application/json", b"accept: text/csv"]),
        (ROW, [CSV, b"X-Request-Id: mine", b"X-Amzn-SageMaker-Inference-Id: order-7"]),
        (ROW, [CSV, b"X-Amzn-SageMaker-Inference-Id: order-7"]),
        (100 * ROW, [CSV]),
    ],
)
def test_a_plain_invocation_is_answered_by_the_lane(application: Application, body: bytes, lines: list[bytes]) -> None:
    data = request(body, *lines)
    answer = lane(application).answer(data)
    assert answer
    assert answer == carefully(application, data)


@pytest.mark.parametrize(
    "data",
    [
        request(ROW, CSV) + b"P",
        request(ROW, CSV) * 2,
        request(ROW, CSV)[:-1],
        request(ROW, CSV, b"Transfer-Encoding: chunked"),
        request(ROW, CSV, b"Content-Length: 18"),
        request(ROW, CSV, b"Connection: close"),
        request(ROW, CSV, b"Expect: 100-continue"),
        request(ROW, CSV, b"X-Amzn-SageMaker-Custom-Attributes: output=label"),
        request(ROW, CSV, start=b"POST /invocations HTTP/1.0"),
        request(ROW.replace(b"blue", b"green"), CSV),
        request(ROW * (MOST_ROWS + 1), CSV),
        request(ROW * (LARGE_BODY_BYTES // len(ROW) + 1), CSV),
        request(b"width,colour,height,size,depth\n" + ROW, CSV),
        b"",
        b"GET /ping HTTP/1.1\r\n\r\n",
    ],
    ids=lambda data: data[:60].decode(),
)
def test_what_is_not_plain_is_left_to_the_careful_path(application: Application, data: bytes) -> None:
    assert lane(application).answer(data) is None


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    body, before, after = draw(BODIES), draw(st.lists(LINES, max_size=4)), draw(st.lists(LINES, max_size=2))
    length = len(body) - draw(st.sampled_from([0, 0, 0, 1]))
    return b"\r\n".join([draw(STARTS), *before, b"Content-Length: %d" % length, *after, b"", body])


@given(data=requests())
@example(data=request(ROW, CSV, b"X-Amzn-SageMaker-Inference-Id: 7"))
@example(data=request(ROW, CSV, b"X-Request-Id: mine "))
@example(data=request(ROW, CSV, b"Transfer-Encoding: chunked"))
def test_whatever_the_lane_answers_the_careful_path_answers_alike(application: Application, data: bytes) -> None:
    answer = lane(application).answer(data)
    assert answer is None or answer == carefully(application, data)


@given(data=st.binary(max_size=80), place=st.integers(0, 200), length=st.integers(0, 30))
def test_a_request_with_any_bytes_put_in_or_cut_out_is_answered_alike_or_left(
    application: Application, data: bytes, place: int, length: int
) -> None:
    whole = request(ROW, b"Host: a", CSV, b"X-Request-Id: mine")
    changed = whole[:place] + data + whole[place + length :]
    answer = lane(application).answer(changed)
    assert answer is None or answer == carefully(application, changed)


def test_both_paths_count_alike(application: Application) -> None:
    plain, careful = Metrics(), Metrics()
    express = lane(application, plain)
    for body in (ROW, 3 * ROW, 100 * ROW):
        assert express.answer(request(body, CSV))
        carefully(application, request(body, CSV), careful)
    shown = [one.prometheus("boxes", "").decode().splitlines() for one in (plain, careful)]
    counts = [[line for line in lines if "_bucket{le" not in line and "_sum" not in line] for lines in shown]
    assert counts[0] == counts[1]
    assert "sagestack_rows_total 104" in counts[0]
    assert 'sagestack_invocation_seconds_bucket{le="+Inf"} 3' in shown[0]


def test_one_in_a_hundred_takes_the_careful_path_to_be_logged(application: Application) -> None:
    written: list[bytes] = []
    log = Log(written.append)
    express = application.express(Metrics(), log, repeat(b"new"))
    assert express
    for _ in range(2 * SAMPLED_ONE_IN):
        if express.answer(request(ROW, CSV)) is None:
            reader = RequestReader()
            reader.feed(request(ROW, CSV))
            log.request(reader.complete[0], application.respond(reader.complete[0]))
    assert [json.loads(line)["rows"] for line in written] == [1, 1]


def test_every_category_has_its_own_score(application: Application) -> None:
    express = lane(application)
    plain = [one for one in COLOURS if not set(one) & set(',"\n')]
    bodies = [request(ROW.replace(b"blue", one.encode()), CSV) for one in plain]
    assert [express.answer(body) for body in bodies] == [carefully(application, body) for body in bodies]
