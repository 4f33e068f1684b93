"""Bytes become requests however they are cut, and nothing that is no HTTP gets through."""

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.contract import MAX_BODY_BYTES
from serving.reader import MAX_HEAD_BYTES, MAX_RAW_BYTES, RequestReader

STREAM = (
    b"GET /ping?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /invocations HTTP/1.1\r\ncontent-TYPE: text/csv\r\nAccept: application/json\r\nContent-Length: 6\r\n"
    b"x-amzn-sagemaker-inference-id: one\r\n\r\n1,2,3\n"
    b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\n4,5\r\n3;name=value\r\n,6\n\r\n0\r\nX-Amzn-SageMaker-Inference-Id: trailer\r\n\r\n"
    b"GET /ping HTTP/1.0\r\n\r\n"
)
POST = b"POST /invocations HTTP/1.1\r\n"


def read(*pieces: bytes) -> RequestReader:
    reader = RequestReader()
    for piece in pieces:
        reader.feed(piece)
    return reader


@given(cuts=st.lists(st.integers(0, len(STREAM))))
@example(cuts=list(range(len(STREAM))))
def test_however_a_stream_is_cut_the_requests_are_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    reader = read(*(STREAM[start:end] for start, end in itertools.pairwise(edges)))
    assert reader.refusal is None
    assert not reader.receiving
    assert [(one.method, one.path, one.body, one.inference_id, one.keep_alive) for one in reader.complete] == [
        (b"GET", b"/ping", b"", b"", True),
        (b"POST", b"/invocations", b"1,2,3\n", b"one", True),
        (b"POST", b"/invocations", b"4,5,6\n", b"", True),
        (b"GET", b"/ping", b"", b"", False),
    ]
    assert (reader.complete[1].content_type, reader.complete[1].accept) == (b"text/csv", b"application/json")


@settings(max_examples=500)
@given(noise=st.binary(max_size=300), position=st.integers(0, len(STREAM)))
def test_noise_never_raises(noise: bytes, position: int) -> None:
    read(noise)
    read(STREAM[:position] + noise + STREAM[position:])


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([b"\x16\x03\x01\x02\x00\x01\x00"], 400),
        ([b"GARBAGE\r\n\r\n"], 400),
        ([POST + b"Content-Length: -1\r\n\r\n"], 400),
        ([POST + b"Content-Length: 99999999999999999999999\r\n\r\n"], 400),
        ([POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"], 400),
        ([POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"], 400),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"], 400),
        ([b"GET /ping HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"], 400),
        ([b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"], 400),
        ([POST + b"X: ", b"y" * MAX_HEAD_BYTES, b"y"], 431),
        ([b"GET /", b"y" * MAX_HEAD_BYTES, b"y"], 431),
        ([POST + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)], 413),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n", b"700000\r\n" + b"1" * (MAX_BODY_BYTES + 1)], 413),
        ([POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y" * MAX_RAW_BYTES, b"y"], 413),
    ],
)
def test_what_cannot_be_read_or_is_too_large_is_refused(pieces: list[bytes], status: int) -> None:
    reader = read(*pieces)
    assert reader.refusal is not None
    assert reader.refusal.status == status
    assert not reader.complete


def test_requests_before_a_refusal_are_kept_and_nothing_after_it_is_read() -> None:
    ping = b"GET /ping HTTP/1.1\r\n\r\n"
    reader = read(ping + ping + b"GARBAGE\r\n\r\n" + ping, ping)
    assert len(reader.complete) == 2
    assert reader.refusal is not None


def test_a_body_of_exactly_the_limit_is_read() -> None:
    reader = read(POST + b"Content-Length: %d\r\n\r\n" % MAX_BODY_BYTES, b"1" * MAX_BODY_BYTES)
    assert len(reader.complete[0].body) == MAX_BODY_BYTES


def test_a_client_that_waits_for_leave_to_send_is_noticed_until_it_sends() -> None:
    reader = read(POST + b"Content-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    assert reader.expects_continue
    reader.feed(b"1")
    assert not reader.expects_continue


def test_many_small_pipelined_requests_are_no_large_head() -> None:
    ping = b"GET /ping HTTP/1.1\r\n\r\n"
    reader = read(ping * (2 * MAX_HEAD_BYTES // len(ping)) + ping[:7], ping[7:])
    assert reader.refusal is None


def test_a_head_that_comes_in_two_pieces_is_not_as_large_as_what_follows_it() -> None:
    body = b"1" * (2 * MAX_HEAD_BYTES)
    whole = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    reader = read(whole[:10], whole[10:] + whole * 2)
    assert reader.refusal is None
    assert [one.body for one in reader.complete] == [body] * 3
