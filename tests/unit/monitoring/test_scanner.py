"""The compiled reader reads as the careful one does, or hands the line to it."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import monitoring
from monitoring import scanner
from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.capture_store import lines_of
from monitoring.contract import SCAN_LIBRARY_VARIABLE
from monitoring.counting import CaptureCounter
from monitoring.event_ids import SeenEvents
from monitoring.profile import Distribution, Profile
from monitoring.scanner import compiled_scanner
from monitoring.window import Window
from tests.unit.monitoring.conftest import lines, record

NOON = datetime(2013, 4, 10, 12, tzinfo=UTC)
APRIL = Window(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC))
BINS = (
    NumericBins("temp", (0.0, 1.5, 100.0)),
    CategoricalBins("carrier", ("AA", "UA"), ("7", "é", "rare one")),
    NumericBins("wind", (-1.0,)),
)


def nothing(bins):
    return Distribution(bins, np.zeros(len(bins.labels()), dtype=np.int64))


PROFILE = Profile(tuple(map(nothing, BINS)), nothing(NumericBins("score", (0.25, 0.5))))
BASELINE = Baseline("flight-delay", "binary-classification", "0", PROFILE)


@pytest.fixture(scope="module", autouse=True)
def library(scan_library):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SCAN_LIBRARY_VARIABLE, str(scan_library))
        yield


def scan(text):
    return [*compiled_scanner(BINS, APRIL).scan(text)]


def numbers(texts, after=",AA,0"):
    """Each text as the scanner reads it; None where it leaves it to the careful reader."""
    found = []
    for text in texts:
        (each,) = scan(lines(record(f"{text}{after}", "0.5", NOON)))
        found.append(None if each.rest else float(each.numbers[0, 0]))
    return found


def test_what_is_captured_every_day_is_scanned_and_not_handed_back():
    plain = [record("1.5,AA,-2e-05", "0.123456789012345678", NOON), record("0,new,", "1\n", NOON)]
    many = record("1,AA,2\r\n2,UA,3\n", "0.5\n0.25\n", NOON)
    (found,) = scan(lines(*plain, many, record("1,AA,2", None, NOON)))
    assert found.rest == []
    assert found.rows.tolist() == [1, 1, 2, 1]
    assert found.places.tolist() == [[0, 3, 0, 1, 0]]
    np.testing.assert_array_equal(found.numbers[0], [1.5, 0, 1, 2, 1])
    np.testing.assert_array_equal(found.numbers[1], [-2e-05, np.nan, 2, 3, 2])
    np.testing.assert_array_equal(found.numbers[2], [0.123456789012345678, 1, 0.5, 0.25, np.nan])


def test_a_text_of_more_rows_than_there_is_room_for_is_read_in_parts(monkeypatch):
    monkeypatch.setattr(scanner, "CAPACITY", 4)
    text = lines(*[record(f"{number},AA,0\n{number},UA,0", "0.5\n0.5", NOON) for number in range(5)], {"odd": 1})
    parts = scan(text)
    assert [row for part in parts for row in part.numbers[0].tolist()] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [line for part in parts for line in part.rest] == [b'{"odd": 1}']
    assert scan(lines(record("1,AA,0\n" * 5, "0.5\n" * 5, NOON)))[0].rest


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.007702131695526182)
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_numbers_are_read_to_the_last_bit(number):
    (found,) = numbers([repr(number)])
    assert found is None or repr(found) == repr(number)


@given(st.integers(0, 10**19), st.integers(-30, 30))
def test_digits_are_rounded_as_python_rounds_them(digits, exponent):
    text = f"{digits}e{exponent}"
    (found,) = numbers([text])
    assert found is None or found == float(text)


DIGITS = st.text("0123456789", min_size=1, max_size=9)
"""As many as are read at once, and more."""
ODD = st.sampled_from(["", "", "", "-", ".", "e", "e5", "E-3", "/", ":", "\x7f", " ", "_"])


@given(st.sampled_from(["", "-"]), DIGITS, st.one_of(st.just(""), DIGITS.map(".{}".format)), ODD)
@example("-", "0000000", ".0000000", "")
@example("", "9999999", ".9999999", "")
def test_a_number_is_read_alike_with_and_without_room_behind_it(sign, whole, fraction, odd):
    text = f"{sign}{whole}{fraction}{odd}"
    ((close,), (roomy,)) = (numbers([text], after) for after in (",AA,0", ",a category of many letters,0"))
    assert repr(close) == repr(roomy)
    if not odd:
        assert repr(roomy) == repr(float(text))


@pytest.mark.parametrize(
    "category", ["A", "AB", "ABC", "ABCD", "ABCDE", "ABCDEF", "ABCDEFG", "ABCDEFGH", "ABCDEFGHI" * 3]
)
def test_a_category_of_any_length_is_found_and_its_like_is_not(category):
    bins = (CategoricalBins("carrier", (category,), ()), NumericBins("wind", (0.0,)))
    other = category[:-1] + "-"
    rows = record(f"{category},1\n{other},1\n{category}A,1\n,1", "1\n1\n1\n1", NOON)
    (found,) = compiled_scanner(bins, APRIL).scan(lines(rows))
    assert found.places.tolist() == [[0, 2, 2, 3]]


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "+1", ".5", "1.", "1e", "1e+", "0x1", " 1", "--1", "1e1e1", "-"])
def test_what_is_no_plain_number_is_for_the_careful_reader(text):
    assert numbers([text]) == [None]


VALUES = st.sampled_from(["1", "-2.5", "", "0.30000000000000004", "nan", "inf", "warm", " 1 ", "1e3", "-1e400"])
NAMES = st.sampled_from(["AA", "UA", "7", "é", "rare one", "new", "", '"A,B"', " AA"])
BODIES = st.lists(st.tuples(VALUES, NAMES, VALUES).map(",".join), min_size=1, max_size=3).map("\n".join)
TIMES = st.sampled_from(
    [NOON, APRIL.start, APRIL.end, APRIL.start - timedelta(seconds=1), datetime(2013, 4, 30, tzinfo=UTC)]
)


@st.composite
def captured(draw):
    body = draw(st.one_of(BODIES, st.sampled_from(["temp,carrier,wind\n1,AA,2", "1,AA", "", "1,AA,2\n\n", "1,AA,2,3"])))
    answer = draw(st.sampled_from(["0.5", "0.5\n", "0.1\n0.2", "0.1\r\n0.2\r\n", "high", "", None]))
    each = record(
        body, answer, draw(TIMES), **draw(st.sampled_from([{}, {}, {"encoding": "JSON"}, {"mode": ["x", {}]}]))
    )
    changes = [{}, {}, {}, {"eventVersion": "1"}, {"eventMetadata": {}}, {"more": [1, "a"]}, {"captureData": 5}]
    each |= draw(st.sampled_from(changes))
    if each["eventMetadata"]:
        each["eventMetadata"]["eventId"] = (
            draw(st.sampled_from(["", "é", "a" * 70])) + f"{crc32(repr(each).encode()):x}"
        )
    return each


LINES = st.lists(st.one_of(captured().map(lambda one: json.dumps(one).encode()), st.binary(max_size=30)), max_size=6)


@given(LINES, st.lists(st.integers(0, 5), max_size=3))
def test_both_readers_count_the_same_of_any_lines(some, again):
    both_count_the_same(b"\n".join(some + [some[place] for place in again if place < len(some)]))


def plain_line(number, *, answered=True):
    each = record(f"{number},AA,0\n-{number},UA,", "0.5\n0.75" if answered else None, NOON)
    each["eventMetadata"]["eventId"] = f"id-{number}"
    return json.dumps(each).encode()


WOUND = st.one_of(
    st.sampled_from([b'"', b"\\", b"\\n", b"}", b"{", b",", b":", b" ", b"7", b"\xff"]), st.binary(max_size=3)
)


@given(st.integers(0, 400), st.integers(0, 4), WOUND, st.booleans())
@example(at=400, length=0, wound=b" ", answered=True)
def test_a_line_that_differs_from_the_one_before_in_more_than_its_values_is_read_with_care(at, length, wound, answered):
    line = plain_line(2)
    damaged = line[:at] + wound + line[at + length :]
    both_count_the_same(b"\n".join([plain_line(1), damaged, plain_line(3, answered=answered), plain_line(4)]))


def test_records_with_their_values_in_any_order_are_scanned():
    told = [json.loads(plain_line(number)) for number in range(6)]
    turned = [dict(reversed(one.items())) for one in told[2:4]]
    (found,) = scan(lines(*told[:2], *turned, *told[4:], json.loads(plain_line(7, answered=False))))
    assert (found.rest, found.rows.tolist()) == ([], [2] * 7)
    assert found.numbers[0].tolist() == [sign * number for number in (0, 1, 2, 3, 4, 5, 7) for sign in (1, -1)]
    assert len(set(found.ids.tolist())) == 7


def both_count_the_same(text):
    counter = CaptureCounter(BASELINE, APRIL)
    fast = counter.count_text(text, "a.jsonl", SeenEvents())
    careful = counter.count_lines(lines_of(text), "a.jsonl", SeenEvents())
    assert fast.tally.to_json() == careful.tally.to_json()
    for ours, theirs in zip(fast.profile.features, careful.profile.features, strict=True):
        assert ours.counts.tolist() == theirs.counts.tolist()
        assert ours.total == pytest.approx(theirs.total)
    assert fast.profile.prediction.counts.tolist() == careful.profile.prediction.counts.tolist()


@pytest.mark.parametrize("path", ["", "/nowhere/scan.so"])
def test_without_a_library_there_is_no_scanner(monkeypatch, path):
    monkeypatch.setenv(SCAN_LIBRARY_VARIABLE, path)
    assert compiled_scanner(BINS, APRIL) is None


def test_no_damaged_text_makes_the_compiled_reader_touch_what_is_not_its_own(tmp_path):
    sanitized = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    native, driver = Path(monitoring.__path__[0]) / "native", Path(__file__).parent / "scan_fuzz.c"
    subprocess.run(["cc", *sanitized, "-I", native, "-o", tmp_path / "fuzz", driver, "-lm"], check=True)
    done = subprocess.run([tmp_path / "fuzz", "30000", "20130101"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
