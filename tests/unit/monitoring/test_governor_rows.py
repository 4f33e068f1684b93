"""New data's rows are told by the ends of its files, whoever wrote them, and files that tell none are named."""

from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import boto3
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from monitoring.governor.labelled_rows import END_READ_BYTES, FILES_AT_ONCE, MOST_FOOTER_BYTES, labelled_rows
from monitoring.governor.parquet_footer import END_BYTES, footer_bytes, rows_of
from monitoring.governor.rules import Rows, Situation, Trigger, decide
from tests.unit.monitoring.governing import of_new_data

BUCKET = "governed-data"
NOW = datetime(2013, 4, 1, tzinfo=UTC)
NAMES = st.lists(st.text(max_size=200), min_size=1, max_size=40, unique=True)
FIRST_FIELDS = {
    "true": b"\x11",
    "false": b"\x12",
    "byte": b"\x13\xff",
    "short": b"\x14\x01",
    "int": b"\x15\x80\x01",
    "long": b"\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "double": b"\x17" + b"\x16\x02" * 4,
    "text": b"\x18\x03\x16\x02\x00",
    "truths": b"\x19\x21\x01\x02",
    "sixteen bytes": b"\x19\xf3\x10" + b"\x16" * 16,
    "set": b"\x1a\x15\x00",
    "no map": b"\x1b\x00",
    "map": b"\x1b\x01\x81\x01k\x01",
}
"""A struct's first field as Thrift's compact protocol writes it, by its type."""


def parquet(rows, *, columns=("a",), row_group_size=50):
    file = BytesIO()
    pl.DataFrame({name: range(rows) for name in columns}).write_parquet(file, row_group_size=row_group_size)
    return file.getvalue()


def told(ask, content):
    """The number, or why there is none."""
    try:
        return ask(content)
    except ValueError as error:
        return str(error)


def footer(file):
    return file[-footer_bytes(file) - END_BYTES : -END_BYTES]


@pytest.fixture(scope="module")
def theirs(oracle):
    return sorted(oracle(Path(__file__).with_name("oracle_parquet.py")).iterdir())


@pytest.fixture
def bucket():
    """Puts files there, as S3 lists them; what is asked of it, by operation and key."""

    class Bucket:
        def __init__(self):
            self.s3, self.asked = boto3.client("s3", region_name="us-east-1"), Counter()
            self.s3.create_bucket(Bucket=BUCKET)
            self.s3.meta.events.register("provide-client-params.s3.GetObject", self._count)

        def _count(self, params, **_):
            self.asked[params["Key"]] += 1

        def put(self, **files):
            for key, content in files.items():
                self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            return [{"Key": key, "Size": len(content)} for key, content in files.items()]

        def rows(self, enough=10**9, **files):
            return labelled_rows(self.s3, BUCKET, self.put(**files), enough)

    with mock_aws():
        yield Bucket()


def test_pyarrows_files_have_as_many_rows_as_it_wrote(theirs):
    assert len(theirs) > 50
    for file in theirs:
        assert rows_of(footer(file.read_bytes())) == int(file.stem.rpartition("-")[2]), file.name


@given(st.integers(0, 3000), NAMES, st.integers(1, 700))
def test_polars_files_have_as_many_rows_as_it_wrote(rows, names, row_group_size):
    assert rows_of(footer(parquet(rows, columns=names, row_group_size=row_group_size))) == rows


@given(st.sampled_from(sorted(FIRST_FIELDS)), st.integers(0, 3))
def test_whatever_stands_before_the_number_of_rows_is_passed_over(kind, depth):
    before = FIRST_FIELDS[kind]
    for _ in range(depth):
        before = b"\x1c" + before + b"\x00"
    assert rows_of(before + b"\x26\x54") == rows_of(before + b"\x06\x06\x54") == 42
    with pytest.raises(ValueError, match="tells of -1 rows"):
        rows_of(before + b"\x26\x01")


@given(st.integers(1, 300), st.data())
def test_a_footer_that_is_cut_short_tells_the_rows_or_that_it_is_none(rows, data):
    whole = footer(parquet(rows, columns=("a", "b")))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert told(rows_of, cut) in {rows, "is no Parquet footer", "tells of no number of rows"}


@given(st.binary(max_size=200) | st.integers(2, 3000).map(lambda deep: b"\x1c" * deep))
def test_whatever_bytes_there_are_the_answer_is_a_number_or_the_reason(content):
    for ask in (rows_of, footer_bytes):
        answer = told(ask, content)
        assert answer >= 0 if isinstance(answer, int) else answer


def test_a_list_that_claims_more_than_there_is_ends_at_once():
    endless = b"\x19\xf3" + b"\xff" * 9 + b"\x01"  # of 2**64 - 1 bytes
    with pytest.raises(ValueError, match="no Parquet footer"):
        rows_of(endless + b"\x16" * 16)


def test_rows_are_counted_over_files_whose_footers_are_short_long_or_all_there_is(bucket, theirs):
    (wide,) = (file.read_bytes() for file in theirs if file.stem == "wide-900")
    assert len(footer(wide)) > END_READ_BYTES
    assert bucket.rows(short=parquet(7), long=wide, none=parquet(0)) == Rows(907)
    assert bucket.asked == {"short": 1, "long": 2, "none": 1}


def test_of_a_footer_of_megabytes_only_its_beginning_is_read(bucket):
    columns = [f"column {number}" for number in range(200)]
    long = parquet(1000, columns=columns, row_group_size=10)
    assert len(footer(long)) > MOST_FOOTER_BYTES
    assert bucket.rows(long=long) == Rows(1000)


def test_the_largest_files_are_asked_first_and_no_more_of_them_than_are_needed(bucket):
    files = {f"{number:02}": parquet(number + 1) for number in range(3 * FILES_AT_ONCE)}
    found = bucket.rows(enough=100, **files)
    assert found.counted == sum(range(2 * FILES_AT_ONCE + 1, 3 * FILES_AT_ONCE + 1)) >= 100
    assert set(bucket.asked) == set(sorted(files)[-FILES_AT_ONCE:])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        b"a,b\n1,2\n",
        parquet(9)[:-1],
        parquet(9)[:-4] + b"PARE",  # an encrypted footer
        b"\xff\xff\xff\x7fPAR1",
        parquet(9)[:-END_BYTES] + b"\x02\x00\x00\x00PAR1",
    ],
)
def test_a_file_that_tells_no_number_counts_none_and_is_named(bucket, content):
    assert bucket.rows(good=parquet(3), bad=content) == Rows(3, ("bad",))


def test_new_data_must_have_its_rows_too_and_the_reason_names_what_could_not_be_counted():
    def decided(rows, minimum=10):
        situation = Situation(new_files=3, new_rows=rows)
        return decide(Trigger("new-data", "it happened"), NOW, situation, of_new_data(minimum_rows=minimum))

    assert decided(Rows(10)).start
    assert decided(Rows(), minimum=0).start
    assert decided(Rows(9)).reason == "it happened: 9 new row(s) since the last run was started, 10 needed"
    assert decided(Rows(9, ("x/a.csv.parquet", "x/b.parquet"))).reason.endswith(
        "10 needed; 2 file(s) tell no number of rows, x/a.csv.parquet among them: is it Parquet, and not encrypted?"
    )
