"""A head that was read before is read as it was then, and as httptools would."""

from hypothesis import example, given
from hypothesis import strategies as st

from serving.heads import MAX_HEAD_BYTES, MAX_HEADS, Heads
from serving.message import Request
from serving.reader import RequestReader

LINES = st.sampled_from(
    [
        "Content-Length: 3", "Content-Length: 3", "content-length: 0", "Content-Length: 4", "Content-Length: -3",
        "Transfer-Encoding: chunked", "Content-Type: text/csv", "Accept: */*", "X-Request-Id: mine",
        "X-Amzn-SageMaker-Inference-Id: 7", "Connection: close", "Connection: keep-alive", "Expect: 100-continue",
        "Upgrade: h2c", "no colon",
    ]
)  # fmt: skip
BODIES = st.sampled_from(
    ["", "1,2", "1,2", "1,2\r\n", "1,2,", "3\r\n1,2\r\n0\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]
)
STARTS = st.sampled_from(["POST /invocations", "GET /ping", "\r\nPOST /a", "HEAD /ping", "CONNECT a:1", "POST"])
Outcome = tuple[list[Request], bytes | None, bool]
WHOLE = b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\n\r\n1,2"


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    head = [f"{draw(STARTS)} HTTP/{draw(st.sampled_from(['1.1', '1.1', '1.0']))}", *draw(st.lists(LINES, max_size=4))]
    return ("\r\n".join(head) + "\r\n\r\n" + draw(BODIES)).encode()


def read(parts: list[bytes], heads: Heads) -> Outcome:
    reader = RequestReader(heads)
    for part in parts:
        reader.feed(part)
    return list(reader.complete), reader.refusal and reader.refusal.body, reader.receiving


@given(parts=st.lists(messages(), min_size=1, max_size=4), before=st.lists(messages(), max_size=4))
@example(parts=[WHOLE, WHOLE + b"4"], before=[WHOLE])
@example(parts=[WHOLE + WHOLE], before=[WHOLE])
def test_what_was_read_before_changes_nothing(parts: list[bytes], before: list[bytes]) -> None:
    heads = Heads()
    for one in [*before, *parts]:
        read([one], heads)
    assert read(parts, heads) == read(parts, Heads())


def test_a_known_head_is_recognised_with_any_body_of_its_length() -> None:
    heads = Heads()
    read([WHOLE], heads)
    known = heads.recognise(WHOLE.replace(b"1,2", b"5,6"))
    assert known == Request(b"POST", b"/invocations", body=b"5,6")
    assert heads.recognise(WHOLE + b"7") is None
    assert heads.recognise(WHOLE[:-1]) is None
    assert heads.recognise(b"") is None


def test_what_is_remembered_is_bounded() -> None:
    heads = Heads()
    for number in range(3 * MAX_HEADS):
        read([WHOLE.replace(b"\r\n\r\n", b"\r\nX-N: %d\r\n\r\n" % number)], heads)
    assert len(heads._known) <= MAX_HEADS
    long = WHOLE.replace(b"\r\n\r\n", b"\r\nX-N: %s\r\n\r\n" % (b"n" * MAX_HEAD_BYTES))
    read([long], heads)
    assert heads.recognise(long) is None
