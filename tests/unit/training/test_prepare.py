"""Prepare divides by time, keeps every row, and refuses data that cannot be learnt from."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training.conftest import DOCUMENT, Lineage, run_job, write_partitions
from training.errors import JobError
from training.folders import Folders
from training.prepare import fingerprint, run, split, trained_on
from training.spec import TrainingSpec

SMALL = TrainingSpec.parse(
    DOCUMENT | {"numeric": ["x"], "categorical": ["c"], "label": "y", "time": "t", "validation_days": 1, "test_days": 1}
)


def table(days: int = 3, **columns: object) -> pl.DataFrame:
    """Two rows a day, one of each label."""
    moments = [datetime(2013, 1, day, hour, tzinfo=UTC) for day in range(1, days + 1) for hour in (1, 23)]
    rows = 2 * days
    values: dict[str, object] = {"x": [1.0, 2.0] * days, "c": ["a", "b"] * days, "y": [0, 1] * days, "t": moments}
    return pl.DataFrame(values | columns).head(rows)


def prepare(folders: Folders, **partitions: pl.DataFrame) -> Path:
    write_partitions(folders.processing("input/data"), partitions)
    run(SMALL, folders)
    return folders.processing("output")


def splits(output: Path) -> dict[str, pl.DataFrame]:
    return {name: pl.read_parquet(output / name / "data.parquet") for name in ("train", "validation", "test")}


def test_the_newest_days_are_the_test_and_those_before_the_validation(lineage: Lineage) -> None:
    parts = splits(lineage.prepare / "processing/output")
    moments = {name: part["scheduled_at"] for name, part in parts.items()}
    days = {name: (column.min().date(), column.max().date()) for name, column in moments.items()}
    assert days == {
        "train": (date(2013, 1, 1), date(2013, 3, 17)),
        "validation": (date(2013, 3, 18), date(2013, 3, 24)),
        "test": (date(2013, 3, 25), date(2013, 3, 31)),
    }


def test_no_row_is_lost_or_doubled(lineage: Lineage, sample: dict[str, pl.DataFrame]) -> None:
    parts = splits(lineage.prepare / "processing/output")
    numeric = [pl.col(name).cast(pl.Float64) for name in (*DOCUMENT["numeric"], "late")]
    whole = pl.concat(sample.values()).with_columns(numeric)
    columns = parts["train"].columns
    assert pl.concat(parts.values()).sort(columns).equals(whole.select(columns).sort(columns))


def test_prepared_json_says_what_was_read(lineage: Lineage, sample: dict[str, pl.DataFrame]) -> None:
    document = json.loads((lineage.prepare / "processing/output/prepared/prepared.json").read_text())
    assert document["schema_version"] == 1
    assert document["partitions"] == ["2013-01", "2013-02", "2013-03"]
    assert document["trained_on"] == "2013-01 2013-02 2013-03"
    assert sum(document["rows"].values()) == sum(map(len, sample.values()))
    assert document["time"]["last"].startswith("2013-03-31T")
    assert document["data_fingerprint"].startswith("sha256:")


@given(order=st.permutations(range(6)))
def test_the_order_of_rows_does_not_move_a_boundary(order: list[int]) -> None:
    parts = split(table()[list(order)], SMALL)
    assert {name: set(part["t"].dt.day()) for name, part in parts.items()} == {
        "train": {1},
        "validation": {2},
        "test": {3},
    }


def test_the_fingerprint_changes_with_any_byte_or_name_and_nothing_else(tmp_path: Path) -> None:
    def of(files: dict[str, bytes], folder: str) -> str:
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_bytes(content)
        return fingerprint([tmp_path / folder / name for name in files])

    known = of({"a": b"1", "b": b"2"}, "known")
    assert of({"b": b"2", "a": b"1"}, "other order") == known
    assert of({"a": b"1", "b": b"3"}, "other byte") != known
    assert of({"a": b"1", "c": b"2"}, "other name") != known
    assert of({"a": b"1"}, "fewer") != known


def test_many_partitions_still_fit_a_registry_property() -> None:
    names = [f"2013-{number:04d}" for number in range(100)]
    assert trained_on(names) == "2013-0000..2013-0099"


@pytest.mark.parametrize(
    "moments",
    [
        pl.col("t").dt.replace_time_zone(None),
        pl.col("t").dt.convert_time_zone("America/New_York"),
        pl.col("t").cast(pl.Datetime("ms", "UTC")),
        pl.col("t").dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        pl.col("t").dt.to_string("%Y-%m-%dT%H:%M:%S+00:00"),
        pl.col("t").dt.to_string("%Y-%m-%d %H:%M:%S"),
    ],
)
def test_moments_of_every_documented_form_are_the_same_moments(folders: Folders, moments: pl.Expr) -> None:
    parts = splits(prepare(folders, a=table().with_columns(moments.alias("t"))))
    assert pl.concat(parts.values())["t"].to_list() == table()["t"].to_list()


def test_whole_days_as_dates_do_as_well(folders: Folders) -> None:
    parts = splits(prepare(folders, a=table().with_columns(pl.col("t").dt.date())))
    assert [len(part) for part in parts.values()] == [2, 2, 2]


def test_numbers_become_float64_and_categories_text_with_empty_ones_missing(folders: Folders) -> None:
    first = table(2, x=[1, 2, 3, None], c=["a", "", None, "b"])
    second = table(3, x=[True, False] * 3, c=[1, 2] * 3).tail(2)
    parts = splits(prepare(folders, a=first, b=second))
    whole = pl.concat(parts.values())
    assert whole["x"].to_list() == [1.0, 2.0, 3.0, None, 1.0, 0.0]
    assert whole["c"].to_list() == ["a", None, None, "b", "1", "2"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (table().drop("x"), "2013-01.parquet lacks the column x: it has c, y, t"),
        (table(x=["1", "2"] * 3), "2013-01.parquet: the column x is of type String: a number is expected"),
        (table(c=[1.5, 2.5] * 3), "the column c is of type Float64: categories as text are expected"),
        (table(y=[0, 2] * 3), "the label y is 2 in a row: it must be 0 or 1"),
        (table(y=[0, None] * 3), "the label y is null in 3 of 6 rows"),
        (table(t=[1, 2] * 3), "the time column t is of type Int64: a moment is expected"),
        (table(t=["2013-01-01T00:00:00Z", "soon"] * 3), "the time column t is not all ISO 8601"),
        (table(t=[datetime(2013, 1, 1, tzinfo=UTC), None] * 3), "the time column t is null in 3 of 6 rows"),
        (table().clear(), "the data has no rows"),
        (table(1), "the train split is empty: the newest 1 days are the test"),
        (table(y=[0, 0] + [0, 1] * 2), "the train split has 2 rows and all have the label 0"),
        (table(y=[0, 1] * 2 + [1, 1]), "the test split has 2 rows and all have the label 1"),
    ],
)
def test_data_that_cannot_be_learnt_from_is_refused(folders: Folders, frame: pl.DataFrame, reason: str) -> None:
    with pytest.raises(JobError) as caught:
        prepare(folders, **{"2013-01": frame})
    assert reason in str(caught.value)


def test_no_partition_and_a_file_that_is_no_parquet_are_named(folders: Folders) -> None:
    with pytest.raises(JobError, match=r"no \.parquet file"):
        run(SMALL, folders)
    write_partitions(folders.processing("input/data"), {})
    (folders.processing("input/data") / "2013-01.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(JobError, match=r"2013-01.parquet is not a readable Parquet file"):
        run(SMALL, folders)


def test_the_job_says_why_it_failed_in_its_message_file_without_a_traceback(tmp_path: Path) -> None:
    write_partitions(tmp_path / "processing/input/data", {"2013-01": table()})
    ended = run_job("prepare", tmp_path)
    message = (tmp_path / "output/message").read_text()
    assert ended.returncode == 1
    assert message.startswith("2013-01.parquet lacks the column departure_minute")
    assert "Traceback" not in ended.stderr
