import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.jobs.transform_records import MEGABYTE, DataProcessing, RecordError, Splitting, assemble

LINES = st.lists(st.text("ab,1", min_size=1, max_size=9).map(str.encode), max_size=12)


def processing(**given):
    return DataProcessing.of(given)


@given(LINES, st.booleans())
def test_no_record_is_lost_or_moved(lines, several):
    splitting = Splitting(by_line=True, several_a_payload=several, max_payload_mb=1)
    payloads = list(splitting.payloads(b"\n".join(lines)))
    assert [record for payload in payloads for record in payload] == lines
    assert several or all(len(payload) == 1 for payload in payloads)


@settings(max_examples=20)
@given(st.lists(st.integers(1, MEGABYTE), max_size=8))
def test_no_payload_is_larger_than_it_may_be(sizes):
    splitting = Splitting(by_line=True, several_a_payload=True, max_payload_mb=1)
    body = b"\n".join(b"x" * size for size in sizes)
    assert all(len(b"\n".join(payload)) <= MEGABYTE for payload in splitting.payloads(body))


@given(LINES)
def test_outputs_put_together_by_line_have_each_answer_on_its_own(answers):
    assert assemble(answers, by_line=True).splitlines() == answers


def test_without_processing_records_and_answers_are_never_read():
    records, answer = [b"{broken", b"\xff"], b"\xfe"
    assert processing().sent(records, "text/csv") == b"{broken\n\xff"
    assert processing().kept(records, "text/csv", answer, "text/csv") == answer


def test_a_joined_row_has_its_input_first():
    join = processing(JoinSource="Input")
    assert join.kept([b'"a,b",2', b"c,3"], "text/csv; charset=utf-8", b"0.5\n0.25\n", "text/csv") == (
        b'"a,b",2,0.5\nc,3,0.25'
    )


def test_a_joined_object_has_its_answer_under_awss_name():
    join = processing(JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")
    kept = join.kept([b'{"id": 1, "x": 2}'], "application/jsonlines", b'{"score": 0.5}', "application/jsonlines")
    assert json.loads(kept) == {"id": 1, "SageMakerOutput": {"score": 0.5}}


def test_a_joined_list_becomes_an_object_of_both():
    kept = processing(JoinSource="Input").kept([b"[1, 2]"], "application/json", b"0.5", "application/json")
    assert json.loads(kept) == {"SageMakerInput": [1, 2], "SageMakerOutput": 0.5}


@pytest.mark.parametrize(
    ("records", "kinds", "answer", "message"),
    [
        ([b"1"], ("text/csv", "text/csv"), b"1\n2", "1 records were answered by 2"),
        ([b"1"], ("text/csv", "application/jsonlines"), b"1", "cannot be joined with output of type"),
        ([b"{"], ("application/jsonlines", "application/jsonlines"), b"1", "a record is no application/jsonlines"),
        ([b"1"], ("image/png", "image/png"), b"1", "reads text/csv, application/json and application/jsonlines"),
    ],
)
def test_what_cannot_be_joined_says_why(records, kinds, answer, message):
    with pytest.raises(RecordError, match=message):
        processing(JoinSource="Input").kept(records, kinds[0], answer, kinds[1])
