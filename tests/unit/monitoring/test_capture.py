"""Capture records become columns; what cannot be read is counted, with its reason, and costs nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.capture import NO_INPUT, NO_TIME, NO_TYPE, NO_VERSION, NOT_A_RECORD, UNEQUAL, read_capture
from monitoring.capture_store import lines_of
from monitoring.decode import BAD_PREDICTION, NOT_JSON, WRONG_FIELDS, WRONG_VALUE, Refused, accepted
from monitoring.event_ids import SeenEvents
from monitoring.tally import QUARANTINED, Tally
from monitoring.window import Window
from tests.unit.monitoring.conftest import lines, record

SCHEMA = pl.Schema({"temp": pl.Float64, "carrier": pl.String})
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
APRIL = Window(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC))


def read(*files):
    pieces, tally = read_capture(lines_of(b"\n".join(files)), SCHEMA, APRIL, SeenEvents(), file="a.jsonl")
    rows = [row for frame, _ in pieces for row in frame.rows()]
    return rows, [score for _, scores in pieces for score in scores], tally


def read_one(data, answer="0.5", **change):
    return read(lines(record(data, answer, NOON, **change)))


def reason(data, answer="0.5", **change):
    rows, _, tally = read_one(data, answer, **change)
    assert rows == []
    assert tally.reasons.total() == 1
    return next(iter(tally.reasons))


def test_many_rows_in_a_record_are_many_rows():
    rows, scores, tally = read_one("1.5,AA\n,UA\n-3,", "0.1\n0.2\n0.3\n")
    assert rows == [(1.5, "AA"), (None, "UA"), (-3.0, None)]
    assert scores == [0.1, 0.2, 0.3]
    assert tally == Tally(read=1, used=1, rows=3)


@pytest.mark.parametrize(
    "data",
    ["1.5,AA\n2,UA\n", "1.5,AA\r\n2,UA\r\n", "temp,carrier\n1.5,AA\n2,UA", ' 1.5 ,AA\n2,"UA"', "+1.5,AA\n2e0,UA"],
)
def test_csv_is_read_as_serving_reads_it(data):
    rows, _, _ = read_one(data, "0.1\n0.2")
    assert rows == [(1.5, "AA"), (2.0, "UA")]


def test_a_quoted_comma_is_part_of_the_category():
    assert read_one('1,"A,B"')[0] == [(1.0, "A,B")]


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/json", '{"instances": [[1.5, "AA"], [null, "UA"]]}'),
        ("application/json; charset=utf-8", '[{"temp": 1.5, "carrier": "AA"}, {"carrier": "UA", "temp": null}]'),
        ("application/jsonlines", '{"temp": 1.5, "carrier": "AA"}\n{"temp": null, "carrier": "UA"}\n'),
        ("application/jsonlines", '[1.5, "AA"]\n[null, "UA"]'),
    ],
)
def test_json_and_json_lines_are_read_as_serving_reads_them(content_type, data):
    rows, scores, _ = read_one(data, "0.1\n0.2", observedContentType=content_type, encoding="JSON")
    assert rows == [(1.5, "AA"), (None, "UA")]
    assert scores == [0.1, 0.2]


def test_numbers_name_categories_and_nan_is_read_in_json():
    rows, _, _ = read_one('{"instances": [[NaN, 7]]}', observedContentType="application/json")
    assert rows[0][1] == "7"
    assert rows[0][0] != rows[0][0]


@pytest.mark.parametrize(
    ("content_type", "answer"),
    [
        ("application/json", '{"predictions": [{"score": 0.1, "label": 0}, {"score": 0.9, "label": 1}]}'),
        ("application/jsonlines", '{"score": 0.1, "label": 0}\n{"score": 0.9, "label": 1}\n'),
        ("text/csv; charset=utf-8", "0.1\n0.9\n"),
    ],
)
def test_predictions_are_read_in_each_form_that_serving_writes(content_type, answer):
    each = record("1,AA\n2,AA", answer, NOON)
    each["captureData"]["endpointOutput"]["observedContentType"] = content_type
    assert read(lines(each))[1] == [0.1, 0.9]


def test_base64_is_decoded_and_read_by_its_content_type():
    encoded = base64.b64encode(b"1.5,AA").decode()
    assert read_one(encoded, encoding="BASE64")[0] == [(1.5, "AA")]


def test_rows_without_a_captured_prediction_are_rows_all_the_same():
    rows, scores, tally = read(lines(record("1,AA\n2,UA", None, NOON), record("3,AA", "0.3", NOON)))
    assert sorted(rows) == [(1.0, "AA"), (2.0, "UA"), (3.0, "AA")]
    assert sorted(scores, key=str) == [0.3, None, None]
    assert tally.reasons == {}


@pytest.mark.parametrize(
    ("data", "answer", "change", "expected"),
    [
        ("1", "0.5", {}, WRONG_FIELDS),
        ("1,AA,3", "0.5", {}, WRONG_FIELDS),
        ("warm,AA", "0.5", {}, WRONG_VALUE),
        ("1,AA", "0.5\n0.6", {}, UNEQUAL),
        ("1,AA", "high", {}, BAD_PREDICTION),
        ("{", "0.5", {"observedContentType": "application/json"}, NOT_JSON),
        ('{"rows": []}', "0.5", {"observedContentType": "application/json"}, NOT_JSON),
        ('[["warm", "AA"]]', "0.5", {"observedContentType": "application/json"}, WRONG_VALUE),
        ('[{"temp": 1}]', "0.5", {"observedContentType": "application/json"}, WRONG_FIELDS),
        ("<a/>", "0.5", {"observedContentType": "text/xml"}, NO_TYPE),
        ("1,AA", "0.5", {"observedContentType": None, "encoding": "PICKLE"}, NO_TYPE),
        ("%%%", "0.5", {"encoding": "BASE64"}, NO_INPUT),
        (None, "0.5", {}, NO_INPUT),
    ],
)
def test_what_cannot_be_read_is_counted_with_its_reason(data, answer, change, expected):
    assert reason(data, answer, **change) == expected


def test_a_category_that_looks_like_a_compressed_file_is_a_category():
    schema = pl.Schema({"carrier": pl.String, "temp": pl.Float64})
    pieces, _ = read_capture([json.dumps(record("x^,1", "0.5", NOON)).encode()], schema, APRIL, SeenEvents(), file="a")
    assert pieces[0][0].rows() == [("x^", 1.0)]


def test_rows_and_predictions_of_one_record_do_not_make_up_for_those_of_another():
    rows, _, tally = read(lines(record("1,AA\n2,AA", "0.5", NOON), record("3,AA", "0.5\n0.6", NOON)))
    assert rows == []
    assert tally.reasons == {UNEQUAL: 2}


def test_an_empty_body_is_refused():
    assert reason("") == WRONG_FIELDS


def test_a_short_row_between_long_ones_is_not_made_up_for():
    assert reason("1,AA\n2\n3,AA,", "0.1\n0.2\n0.3") == WRONG_FIELDS


def test_broken_lines_cost_only_themselves():
    sound, more = (lines(*[record(f"{number},AA", "0.5", NOON) for number in range(50)]) for _ in range(2))
    broken = b'{"captureData": {"endp\n' + sound + b"\n\xff\xfe\n17\n" + b'{"captureData": 5}\n' + more
    rows, scores, tally = read(broken, b"")
    assert len(rows) == len(scores) == 100
    assert (tally.read, tally.used, tally.rows) == (104, 100, 100)
    assert tally.reasons == {NOT_A_RECORD: 4}


def test_a_bad_record_costs_only_itself():
    records = [record(f"{number},AA", "0.5", NOON) for number in range(20)]
    records[7]["captureData"]["endpointInput"]["data"] = "warm,AA"
    records[13]["captureData"]["endpointInput"]["data"] = "13"
    rows, _, tally = read(lines(*records))
    assert [temp for temp, _ in rows] == [number for number in range(20) if number not in {7, 13}]
    assert tally.reasons == {WRONG_VALUE: 1, WRONG_FIELDS: 1}


def test_the_window_holds_its_start_and_not_its_end():
    moments = [APRIL.start - timedelta(seconds=1), APRIL.start, APRIL.end - timedelta(seconds=1), APRIL.end]
    rows, _, tally = read(lines(*[record(f"{number},AA", "0.5", moment) for number, moment in enumerate(moments)]))
    assert [temp for temp, _ in rows] == [1.0, 2.0]
    assert tally.outside == 2


def test_a_record_without_a_time_is_refused():
    each = record("1,AA", "0.5", NOON)
    del each["eventMetadata"]["inferenceTime"]
    _, _, tally = read(lines(each))
    assert tally.reasons == {NO_TIME: 1}


def test_a_record_of_another_version_is_refused_and_one_without_a_version_is_not():
    versions = [record("1,AA", "0.5", NOON) | {"eventVersion": version} for version in ("0", "1")]
    bare = record("2,AA", "0.5", NOON)
    del bare["eventVersion"]
    rows, _, tally = read(lines(*versions, bare))
    assert rows == [(1.0, "AA"), (2.0, "AA")]
    assert tally.reasons == {NO_VERSION: 1}


def test_a_record_that_was_captured_twice_is_used_once():
    each = record("1,AA", "0.5", NOON)
    rows, _, tally = read(lines(each, record("2,AA", "0.5", NOON), each))
    assert rows == [(1.0, "AA"), (2.0, "AA")]
    assert (tally.read, tally.used, tally.duplicates) == (3, 2, 1)


def test_records_without_an_event_id_are_no_duplicates():
    each = record("1,AA", "0.5", NOON)
    del each["eventMetadata"]["eventId"]
    rows, _, tally = read(lines(each, each))
    assert (len(rows), tally.duplicates) == (2, 0)


def test_refused_records_are_set_aside_with_file_and_reason_up_to_a_bound():
    _, _, tally = read(b"{broken\n" * (QUARANTINED + 5))
    assert tally.reasons == {NOT_A_RECORD: QUARANTINED + 5}
    assert len(tally.refused) == len((tally + tally).refused) == QUARANTINED
    assert (tally.refused[0].file, tally.refused[0].reason, tally.refused[0].record) == (
        "a.jsonl",
        NOT_A_RECORD,
        "{broken",
    )


def test_an_empty_window_reads_nothing():
    assert read() == ([], [], Tally())


@given(st.lists(st.integers(-3, 3), max_size=40))
def test_what_decodes_alone_is_decoded_among_others(items):
    def decode(some):
        if any(item < 0 for item in some):
            raise Refused("negative")
        return list(some)

    pieces, refused = accepted(items, decode)
    assert [item for piece in pieces for item in piece] == [item for item in items if item >= 0]
    assert len(refused) == sum(item < 0 for item in items)


@given(st.lists(st.binary(max_size=40), max_size=10))
@example([b"x\x01"])
def test_no_bytes_whatever_stop_the_reading(files):
    rows, _, tally = read(*files, json.dumps(record("1,AA", "0.5", NOON)).encode())
    assert (1.0, "AA") in rows
    assert tally.read == len(rows) + tally.reasons.total()
