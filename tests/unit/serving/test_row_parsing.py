"""CSV, JSON and JSON Lines say the same rows, and whatever else arrives is refused with its place."""

import csv
import io
import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serving.contract import CSV, JSON, JSON_LINES
from serving.core.errors import InputError
from serving.core.parsing import RowParser
from serving.core.signature import Signature
from tests.unit.serving.conftest import COLOURS, INPUTS, SIZES

NAMES = [one.name for one in INPUTS]
Row = tuple[float | None, str | None, float | None, str | None, float | None]
NUMBERS = st.none() | st.floats()
FINITE = st.none() | st.floats(allow_nan=False, allow_infinity=False)
COLOUR = st.none() | st.sampled_from(COLOURS) | st.text(min_size=1)
SIZE = st.none() | st.sampled_from(SIZES)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows_of(numbers: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(numbers, COLOUR, numbers, SIZE, numbers), min_size=1, max_size=8)


def expected(row: Row) -> list[float]:
    codes = {1: COLOURS, 3: SIZES}
    values = []
    for index, value in enumerate(row):
        if index in codes:
            values.append(float(codes[index].index(value)) if value in codes[index] else math.nan)
        else:
            values.append(math.nan if value is None else float(value))
    return values


def same(rows: list[list[float]], others: list[list[float]]) -> bool:
    return repr(rows) == repr(others)


@pytest.fixture(scope="module")
def parser(signature: Signature) -> RowParser:
    return RowParser(signature)


@QUIET
@given(rows=rows_of(NUMBERS), style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL)]))
@example(rows=[(1.0, "dark_red", 2.0, "1", 3.0)], style=("\r\n", csv.QUOTE_MINIMAL))
def test_csv_as_the_standard_library_writes_it_is_read_exactly(
    parser: RowParser, rows: list[Row], style: tuple[str, Any]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=style[0], quoting=style[1])
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    parsed = parser.parse(text.getvalue().encode(), CSV)
    assert same(parsed.values, [expected(row) for row in rows])
    assert parsed.unknown["colour"] == sum(row[1] is not None and row[1] not in COLOURS for row in rows)


@QUIET
@given(rows=rows_of(NUMBERS), key=st.sampled_from(["instances", None]))
def test_json_lists_as_python_writes_them_are_read_exactly_nan_included(
    parser: RowParser, rows: list[Row], key: str | None
) -> None:
    text = json.dumps({key: rows} if key else rows, ensure_ascii=False)
    assert same(parser.parse(text.encode(), JSON).values, [expected(row) for row in rows])


@QUIET
@given(rows=rows_of(FINITE), order=st.permutations(range(len(NAMES))))
def test_the_order_of_names_does_not_matter_and_json_lines_say_the_same(
    parser: RowParser, rows: list[Row], order: list[int]
) -> None:
    records = [{NAMES[index]: row[index] for index in order} for row in rows]
    by_name = parser.parse(json.dumps(records).encode(), JSON)
    lines = parser.parse("".join(json.dumps(record) + "\n" for record in records).encode(), JSON_LINES)
    assert same(by_name.values, [expected(row) for row in rows])
    assert same(lines.values, by_name.values)
    assert lines.unknown == by_name.unknown


@QUIET
@given(body=st.binary(max_size=200) | st.text(alphabet='0123456789.,-"\r\n[]{}:abenul', max_size=200).map(str.encode))
def test_whatever_arrives_is_read_or_refused(parser: RowParser, body: bytes) -> None:
    for content_type in (CSV, JSON, JSON_LINES):
        with suppress(InputError):
            rows = parser.parse(body, content_type)
            assert len(rows) > 0
            assert all(len(row) == len(INPUTS) for row in rows.values)


@pytest.mark.parametrize(
    ("body", "content_type", "row", "field", "reason"),
    [
        (b"", CSV, None, None, "the body is empty"),
        (b" \r\n", JSON, None, None, "the body is empty"),
        (b"1,blue,2,2\n", CSV, 1, None, "has 4 fields, the model takes 5"),
        (b"1,blue,2,2,3,4\n", CSV, 1, None, "has 6 fields, the model takes 5"),
        (b"1,blue,2,2,3\n\n1,blue,2,2,3\n", CSV, 2, None, "has 1 fields, the model takes 5"),
        (b"1,blue,2,2,3\n1,blue,tall,2,3\n", CSV, 2, "height", "expected a number, got 'tall'"),
        (b"1_000,blue,2,2,3\n", CSV, 1, "width", "expected a number, got '1_000'"),
        (b"1\0,blue,2,2,3\n", CSV, 1, "width", "expected a number, got '1\\x00'"),
        ("٣,blue,2,2,3\n".encode(), CSV, 1, "width", "expected a number, got '٣'"),
        (b"width,colour,height,size,depth\n", CSV, None, None, "the body has a header and no rows"),
        (b"width,color,height,size,depth\n1,blue,2,2,3", CSV, 1, "width", "expected a number, got 'width'"),
        (b"1,blue,2,2,3\n1,blue\r,2,2,3\n", CSV, 2, None, "has a carriage return without a line feed"),
        (b'1,"blue",2,2,3\n1,blue\r,2,2,3\n', CSV, 2, None, "is not CSV: new-line character seen in unquoted field"),
        (b'1,"blue,2,2,3\n', CSV, 1, None, "is not CSV: unexpected end of data"),
        (b"1,blue,2,2,3\n1,\xff,2,2,3\n", CSV, 2, None, "is not UTF-8"),
        (b"{}", JSON, None, None, 'expected a list of rows, or an object with the one key "instances"'),
        (b'{"instances": 1}', JSON, None, None, 'expected a list of rows, or {"instances": [...]}'),
        (b'"text"', JSON, None, None, 'expected a list of rows, or {"instances": [...]}'),
        (b"[]", JSON, None, None, "there are no rows"),
        (b"[1]", JSON, 1, None, "a row is a list of values, or an object by name"),
        (b"[[1,2]]", JSON, 1, None, "has 2 fields, the model takes 5"),
        (b'[[1,"blue",2,"2","3"]]', JSON, 1, "depth", "expected a number, got the text '3'"),
        (b'[[1,2.5,2,"2",3]]', JSON, 1, "colour", "expected a category as text, got the number 2.5"),
        (b'[[[1],"blue",2,"2",3]]', JSON, 1, "width", "expected a number, got a list"),
        (b'[[1,{},2,"2",3]]', JSON, 1, "colour", "expected a category as text, got an object"),
        (b'[{"width": 1}]', JSON, 1, "colour", "is absent; a missing value is null"),
        (b'[{"wide": 1}]', JSON, 1, "wide", "the model has no such input"),
        (b'[1,"blue",2,"2",3]\n[1,', JSON_LINES, 2, None, "is not JSON: unexpected end of data"),
        (b"[" * 5000 + b"NaN" + b"]" * 5000, JSON, None, None, "the body is not JSON: depth limit exceeded"),
    ],
)
def test_a_refusal_names_row_field_and_reason(  # noqa: PLR0917 - a table's columns
    parser: RowParser, body: bytes, content_type: str, row: int | None, field: str | None, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        parser.parse(body, content_type)
    assert (caught.value.row, caught.value.field) == (row, field)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "header", [b"width,colour,height,size,depth\n", b'"width","colour","height","size","depth"\r\n']
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_header_of_the_inputs_names_is_no_row(parser: RowParser, header: bytes, mark: bytes) -> None:
    assert parser.parse(mark + header + b"1,blue,2,2,3\n", CSV).values == [[1.0, 0.0, 2.0, 1.0, 3.0]]


def test_the_last_line_needs_no_end(parser: RowParser) -> None:
    assert parser.parse(b"1,blue,2,2,3", CSV).values == parser.parse(b"1,blue,2,2,3\r\n", CSV).values


def test_a_category_that_is_a_whole_number_may_come_as_a_json_number(parser: RowParser) -> None:
    assert parser.parse(b'[[1,"blue",2,2,3]]', JSON).values == [[1.0, 0.0, 2.0, 1.0, 3.0]]


def test_numbers_too_large_for_a_float_are_infinite_whoever_writes_them(parser: RowParser) -> None:
    huge = 10**400
    as_csv = parser.parse(f"{huge},blue,-{huge},2,3".encode(), CSV).values
    as_json = parser.parse(json.dumps([[huge, "blue", -huge, "2", math.inf]]).encode(), JSON).values
    assert as_csv[0][:3] == as_json[0][:3] == [math.inf, 0.0, -math.inf]


def test_missing_and_unknown_categories_are_told_apart(parser: RowParser) -> None:
    rows: Any = parser.parse(b"1,,2,7,3\n1,mauve,2,,3\n1,mauve,2,1,3\n", CSV)
    assert rows.unknown == {"colour": 2, "size": 1}
    assert same([row[1:4:2] for row in rows.values], [[math.nan, math.nan], [math.nan, math.nan], [math.nan, 0.0]])


def test_nan_beside_an_escaped_lone_surrogate_is_refused(parser: RowParser) -> None:
    with pytest.raises(InputError, match="is not JSON"):
        parser.parse(b'[[NaN,"\\ud800",2,"2",3]]', JSON)
