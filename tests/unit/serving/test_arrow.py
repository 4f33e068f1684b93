"""Arrow's IPC stream, in and out: as polars and nanoarrow write and read it, and nothing that a body says can hurt."""

import io
import json
from collections import Counter
from typing import Any

import nanoarrow
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoarrow.ipc import StreamWriter

from serving.application import Application
from serving.contract import ARROW, JSON
from serving.core import arrow_stream
from serving.core.arrow import ArrowReader, write_stream
from serving.core.errors import InputError
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.core.signature import Signature
from serving.message import Request, Response
from tests.unit.serving.conftest import COLOURS, INPUTS, SIZES, edge_rows

SIGNATURE = Signature("m", "binary-classification", "4", "m", "", INPUTS, 0.5)
READER = ArrowReader(SIGNATURE)
OLD = pl.CompatLevel.oldest()
NUMBER = st.none() | st.floats(allow_nan=False)
TEXTS = st.none() | st.sampled_from([*COLOURS, "", "unheard of", "a text of more than twelve bytes"])
ROWS = st.lists(st.tuples(NUMBER, TEXTS, NUMBER, st.none() | st.sampled_from([*SIZES, "9"]), NUMBER), min_size=1)


def frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    kinds = {one.name: pl.Float64 if one.type == "numeric" else pl.String for one in INPUTS}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def stream(table: pl.DataFrame, level: pl.CompatLevel | None = None, compression: Any = "uncompressed") -> bytes:
    file = io.BytesIO()
    table.write_ipc_stream(file, compat_level=level, compression=compression)
    return file.getvalue()


def read(body: bytes) -> tuple[np.ndarray[Any, Any], Counter[str]]:
    unknown: Counter[str] = Counter()
    return READER.read(body, unknown), unknown


GOOD = frame([(1.5, "blue", 2.5, "2", -3.0), (None, None, 1.0, "no size", 0.5), (0.0, "größe", 5.0, "3", 1.0)])


@settings(deadline=None)
@given(rows=ROWS, level=st.sampled_from([None, OLD]), encoded=st.booleans(), order=st.permutations(range(5)))
def test_rows_are_read_as_from_json(
    rows: list[tuple[Any, ...]], level: pl.CompatLevel | None, order: list[int], *, encoded: bool
) -> None:
    table = frame(rows)
    if encoded:
        table = table.with_columns(pl.col("colour", "size").cast(pl.Categorical))
    matrix, unknown = read(stream(table.select([table.columns[place] for place in order]), level))
    expected = RowParser(SIGNATURE).parse(json.dumps(rows).encode(), JSON)
    np.testing.assert_array_equal(matrix, expected.matrix)
    assert unknown == expected.unknown


@pytest.mark.parametrize(
    "kind", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32], ids=str
)
def test_numbers_of_any_width_are_read(kind: Any) -> None:
    table = GOOD.with_columns(pl.col("width", "height").round().cast(kind), pl.lit(None).alias("depth"))
    matrix, _ = read(stream(table))
    np.testing.assert_array_equal(matrix[:, 0], [2, np.nan, 0])
    assert np.isnan(matrix[:, 4]).all()


def test_truth_is_a_number_and_a_whole_number_a_category() -> None:
    table = GOOD.with_columns(pl.Series("depth", [True, None, False]), pl.Series("size", [2, None, 7]))
    matrix, unknown = read(stream(table))
    np.testing.assert_array_equal(matrix[:, 3:], [[1, 1], [np.nan, np.nan], [np.nan, 0]])
    assert unknown == {"size": 1}


def test_several_batches_are_one_request() -> None:
    batch = nanoarrow.ArrayStream.from_readable(io.BytesIO(stream(GOOD, OLD))).read_all()
    file = io.BytesIO()
    with StreamWriter.from_writable(file) as writer:
        writer.write_array(batch)
        writer.write_array(batch)
    matrix, unknown = read(file.getvalue())
    np.testing.assert_array_equal(matrix[:3], matrix[3:])
    assert unknown == {"size": 2}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (GOOD.drop("depth"), "field depth: is absent; a column of missing values is null"),
        (GOOD.with_columns(extra=1), "field extra: the model has no such input"),
        (GOOD.with_columns(width=pl.lit("1")), "field width: expected numbers, the column has text"),
        (GOOD.with_columns(colour=pl.lit(0.5)), "field colour: expected categories as text"),
        (GOOD.with_columns(colour=pl.col("width") > 1), "field colour: expected categories as text"),
        (GOOD.with_columns(width=pl.lit([[1.0]]).first()), "field width: the column is of a type that is neither"),
        (GOOD.with_columns(width=pl.lit(0).cast(pl.Date)), "field width: the column is of a type that is neither"),
        (GOOD.clear(), "there are no rows"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table: pl.DataFrame, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read(stream(table))


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_compressed_stream_is_refused_before_it_can_grow(compression: str) -> None:
    with pytest.raises(InputError, match="the stream is compressed: write it without"):
        read(stream(GOOD, compression=compression))


def test_few_bytes_cannot_claim_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pl.DataFrame({one.name: pl.Series([None] * 30_000, dtype=pl.Null) for one in INPUTS})
    body = stream(table)
    assert len(read(body)[0]) == 30_000
    monkeypatch.setattr(arrow_stream, "MOST_VALUES", 149_999)
    with pytest.raises(InputError, match="more than 149999 values: send fewer rows"):
        read(body)


BODIES = [stream(GOOD), stream(GOOD, OLD), stream(GOOD.with_columns(pl.col("colour").cast(pl.Categorical)))]


def test_a_stream_cut_short_anywhere_is_refused_or_whole() -> None:
    for body in BODIES:
        for length in range(len(body)):
            try:
                matrix, _ = read(body[:length])
            except InputError:
                continue
            assert len(matrix) == len(GOOD)  # only the mark of the end was cut


@settings(deadline=None, max_examples=500)
@given(body=st.sampled_from(BODIES), flips=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4))
def test_no_bytes_break_the_reader(body: bytes, flips: list[tuple[int, int]]) -> None:
    content = bytearray(body)
    for place, value in flips:
        content[place % len(content)] = value
    try:
        matrix, _ = read(bytes(content))
    except InputError:
        return
    assert matrix.shape[1] == len(INPUTS)


def ask(predictor: Predictor, query: bytes = b"", accept: bytes = b"") -> Response:
    body = stream(frame([(1.5, "blue", 2.5, "2", -3.0)] * 9))
    return Application(predictor).respond(
        Request(b"POST", b"/invocations" + query, ARROW.encode(), accept or ARROW.encode(), body=body)
    )


def test_answers_are_streams_that_others_read(predictor: Predictor) -> None:
    expected = predictor.predictions(np.array([[1.5, 0, 2.5, 1, -3]] * 9))
    answer = pl.read_ipc_stream(io.BytesIO(ask(predictor).body))
    assert answer.to_dict(as_series=False) == {"score": expected.scores, "label": expected.labels}
    pairs = pl.read_ipc_stream(io.BytesIO(ask(predictor, b"?output=probabilities").body))
    assert pairs["probabilities"].to_list() == expected.probabilities
    labels = nanoarrow.ArrayStream.from_readable(io.BytesIO(ask(predictor, b"?output=label").body)).read_all()
    assert labels.to_pylist() == [{"label": label} for label in expected.labels or ()]
    assert json.loads(ask(predictor, accept=b"application/json").body)["predictions"][0]["score"] == expected.scores[0]
    text = pl.read_ipc_stream(io.BytesIO(write_stream({"label": ["a", "größe"]})))
    assert text["label"].to_list() == ["a", "größe"]


def test_ten_thousand_edge_rows_score_as_sent(predictor: Predictor) -> None:
    rows = edge_rows(10_000, seed=12)
    rows[np.isnan(rows)] = np.nan
    columns = {one.name: pl.Series(rows[:, place], nan_to_null=True) for place, one in enumerate(INPUTS)}
    for name, texts in (("colour", COLOURS), ("size", SIZES)):
        columns[name] = pl.Series(
            [None if code is None else texts[int(code)] for code in columns[name]], dtype=pl.String
        )
    matrix, unknown = read(stream(pl.DataFrame(columns)))
    assert not unknown
    assert predictor.score(matrix).tobytes() == predictor.score(rows).tobytes()
