"""The compiled reader reads what the careful one reads, bit for bit, and leaves it everything else."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.application import Application
from serving.contract import CSV, JSON, TREES_LIBRARY_VARIABLE
from serving.core.errors import InputError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.core.signature import Input, Signature
from serving.core.text import TextReader, text_reader
from serving.message import Request
from tests.unit.serving.conftest import COLOURS, GOOD_ROW, INPUTS, SIZES

Both = Callable[[bytes, str], np.ndarray | None]
PLAIN = [name for name in COLOURS if not set(name) & set(',"\n\\')]
USUAL = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.decimals(-(10**6), 10**6, places=5).map(
    "{:f}".format
)
NUMBERS = (
    USUAL
    | st.decimals(allow_nan=False, allow_infinity=False, places=5).map(str)
    | st.integers(-(10**25), 10**25).map(str)
    | st.sampled_from(["-0", "-0.0", "0e0", "1E+2", "123456789012345.6", "9007199254740993", "2e-308", "0.1e-400"])
)
ODD = st.sampled_from(
    ["nan", "inf", ".5", "1.", "+1", "01", "1e", "1e999", "0x1p3", " 1", "1 ", "1_0", "--1", "\0", "é"]
)
WORDS = st.sampled_from([*PLAIN, *SIZES, "", "purple", "gr", '"blue"', "ﬀ"])
SEPARATORS = st.sampled_from([",", ",", ",", ",", ", ", ";", "", ",,", "\t", "\0"])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "", "\n\n", "\r", "\n\0", " \n"])
JSON_VALUES = (
    NUMBERS
    | ODD
    | WORDS.map(lambda word: f'"{word}"')
    | st.sampled_from(["null", "true", "[]", '"\\u0031"', '"two\nlines"'])
)
SPACE = st.sampled_from(["", "", "", " ", "\n", "\t \r", "\v"])


@pytest.fixture(scope="module")
def reader(signature: Signature, library: Path) -> TextReader:
    found = text_reader(signature, ctypes.CDLL(str(library)))
    assert found
    return found


@pytest.fixture(scope="module")
def agree(reader: TextReader, signature: Signature) -> Both:
    """Reads with both; what the compiled reader does not refuse must be what the careful one reads."""
    parser = RowParser(signature)

    def read(body: bytes, content_type: str) -> np.ndarray | None:
        quick = reader.read(body, content_type)
        if quick is None:
            return None
        rows = parser.parse(body, content_type)
        assert not rows.unknown
        assert np.array(quick).reshape(-1, len(INPUTS)).tobytes() == rows.matrix.tobytes()
        return rows.matrix

    return read


@st.composite
def csv_bodies(draw: st.DrawFn) -> bytes:
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        values = [draw((WORDS if one.categories else NUMBERS | ODD | st.just("")) | ODD) for one in INPUTS]
        lines.append("".join(value + draw(SEPARATORS) for value in values[:-1]) + values[-1] + draw(ENDS))
    return (
        draw(st.sampled_from(["", "", "\ufeff", "width,colour,height,size,depth\n"])).encode() + "".join(lines).encode()
    )


@st.composite
def json_bodies(draw: st.DrawFn) -> bytes:
    def listed(values: list[str]) -> str:
        return "[" + draw(SPACE) + (draw(SPACE) + ",").join(values) + draw(SPACE) + "]"

    rows = [listed([draw(JSON_VALUES) for _ in INPUTS]) for _ in range(draw(st.integers(0, 3)))]
    text = listed(rows)
    around = st.sampled_from(
        ["%s", '{"instances":%s}', '{ "instances" : %s }\n', '{"columns":%s}', '{"instances":%s', "%s]"]
    )
    return (draw(around) % text).encode()


@settings(deadline=None, max_examples=300)
@given(body=csv_bodies() | st.binary(max_size=40))
@example(body=b"1,blue,2,2,3\n\0")
@example(body=b"1,blue,2,2,3\r")
@example(body=b"1,blue,2,2,\r\n\r\n")
def test_csv_is_read_alike_or_left_to_the_careful_reader(agree: Both, body: bytes) -> None:
    agree(body, CSV)


@settings(deadline=None, max_examples=300)
@given(body=json_bodies() | st.binary(max_size=40))
@example(body=b'[[1,"blue",2,"2",3]]\0')
@example(body=b'[[1,"blue",2,"2",-0]]')
@example(body=b"[")
def test_json_is_read_alike_or_left_to_the_careful_reader(agree: Both, body: bytes) -> None:
    agree(body, JSON)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(USUAL, st.sampled_from(PLAIN), USUAL, st.sampled_from(SIZES), USUAL), min_size=1))
def test_plain_rows_are_not_left(agree: Both, rows: list[tuple[str, ...]]) -> None:
    csv = "".join(",".join(row) + "\n" for row in rows)
    lists = [f'[{a},"{b}",{c},"{d}",{e}]' for a, b, c, d, e in rows]
    for body, content_type in ((csv, CSV), ('{"instances":[' + ",".join(lists) + "]}", JSON)):
        read = agree(body.encode(), content_type)
        assert read is not None
        assert len(read) == len(rows)


@settings(deadline=None, max_examples=200)
@given(place=st.integers(0, 4), odd=ODD | WORDS | JSON_VALUES)
@example(place=0, odd="01")
@example(place=4, odd="1.")
@example(place=4, odd="-0")
def test_one_odd_value_in_a_good_row_is_read_alike_or_left(agree: Both, place: int, odd: str) -> None:
    for content_type, row in ((CSV, ["1", "blue", "2.5", "3", "4"]), (JSON, ["1", '"blue"', "2.5", '"3"', "4"])):
        body = ",".join([*row[:place], odd, *row[place + 1 :]])
        try:
            agree((body if content_type == CSV else f"[[{body}]]").encode(), content_type)
        except InputError as error:
            pytest.fail(f"the careful reader refuses {body}: {error}")


def test_a_byte_order_mark_is_left_although_a_category_begins_with_it(library: Path) -> None:
    inputs = (Input("name", "categorical", ("\ufeffa", "a")), Input("x", "numeric"))
    signature = Signature("marks", "regression", "4.7.0", "model.txt", "", inputs)
    reader = text_reader(signature, ctypes.CDLL(str(library)))
    assert reader
    assert reader.read("\ufeffa,1\n".encode(), CSV) is None
    assert reader.read(b"a,1\n", CSV) is not None


def test_missing_values_are_read(agree: Both) -> None:
    read = agree(b",,,,\n1,blue,,2,\n", CSV)
    assert read is not None
    assert np.isnan(read).sum() == 7
    assert agree(b'[[null, null, null, null, null], [1, "blue", null, "2", null]]', JSON) is not None


def test_every_mistake_is_left_to_the_careful_reader(reader: TextReader, signature: Signature) -> None:
    parser = RowParser(signature)
    for body in (
        b"",
        b"\n",
        b"1,blue\n",
        GOOD_ROW + b"\n",
        GOOD_ROW.replace(b"2.5", b"2,5"),
        GOOD_ROW.replace(b"-3", b"x"),
    ):
        with pytest.raises(InputError):
            parser.parse(body, CSV)
        assert reader.read(body, CSV) is None
    assert reader.read(GOOD_ROW, "application/jsonlines") is None


def test_answers_are_the_same_bytes_with_the_compiled_reader_and_without(
    ml_root: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = Application(Predictor.load(ml_root / "model"))
    monkeypatch.setenv(TREES_LIBRARY_VARIABLE, str(library))
    compiled = Application(Predictor.load(ml_root / "model"))
    bodies = [
        (GOOD_ROW, b"text/csv"),
        (GOOD_ROW * 90, b"text/csv"),
        (GOOD_ROW + b"1,2\n", b"text/csv"),
        (b"", b"text/csv"),
    ]
    bodies += [(orjson.dumps([[1, "blue", 2.5, "3", None]] * count), b"application/json") for count in (1, 2, 50)]
    bodies += [(b'[[1,"purple",2,"3",4]]', b"application/json"), (b'[[1,"blue",2,"3"]]', b"application/json")]
    for body, content_type in bodies:
        one, other = (
            server.respond(Request(b"POST", b"/invocations", content_type, body=body)) for server in (without, compiled)
        )
        assert (one.status, one.body, one.content_type) == (other.status, other.body, other.content_type)
        assert one.facts.get("unknown_categories") or not other.facts.get("unknown_categories")
