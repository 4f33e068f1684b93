"""Labelled data is refused for what is wrong with it, and all of it at once."""

import json

import polars as pl
import pytest

from infra.demo import flights
from monitoring.__main__ import main
from monitoring.contract import DATA_INPUT, VALIDATION_FILE, VALIDATION_OUTPUT
from monitoring.spec import Spec
from monitoring.validate import validate
from tests.unit.monitoring.conftest import SPEC, job

READ = Spec.from_json(json.dumps(SPEC))


@pytest.fixture
def january():
    return flights.month(1).head(200)


def verdict(tmp_path, **partitions):
    for name, rows in partitions.items():
        rows.write_parquet(tmp_path / f"{name}.parquet")
    return validate(tmp_path, READ)


def rules(found):
    return {(problem["column"], problem["rule"], problem["partition"]) for problem in found["problems"]}


def test_sound_data_passes(tmp_path, january):
    found = verdict(tmp_path, a=january, b=january.head(50))
    assert found == {
        "schema_version": 1,
        "passed": True,
        "partitions": [{"name": "a", "rows": 200}, {"name": "b", "rows": 50}],
        "rows": 250,
        "problems": [],
    }


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda rows: rows.drop("temp"), ("temp", "missing-column", "b")),
        (lambda rows: rows.with_columns(delay=1.0), ("delay", "extra-column", "b")),
        (lambda rows: rows.with_columns(pl.col("temp").cast(pl.String)), ("temp", "wrong-type", "b")),
        (lambda rows: rows.with_columns(carrier=1), ("carrier", "wrong-type", "b")),
        (lambda rows: rows.with_columns(pl.col("late").cast(pl.String)), ("late", "wrong-type", "b")),
        (lambda rows: rows.with_columns(scheduled_at=5), ("scheduled_at", "wrong-type", "b")),
        (lambda rows: rows.clear(), (None, "no-rows", "b")),
        (lambda rows: rows.with_columns(late=pl.lit(None, dtype=pl.Int64)), ("late", "null-label", "b")),
        (lambda rows: rows.with_columns(late=2), ("late", "bad-label", "b")),
        (lambda rows: rows.with_columns(scheduled_at=pl.lit("soon")), ("scheduled_at", "bad-time", "b")),
        (
            lambda rows: rows.with_columns(scheduled_at=pl.lit(None, dtype=pl.Datetime(time_zone="UTC"))),
            ("scheduled_at", "bad-time", "b"),
        ),
    ],
)
def test_each_fault_is_named_with_its_column_and_partition(tmp_path, january, spoil, problem):
    found = verdict(tmp_path, a=january, b=spoil(january))
    assert not found["passed"]
    assert problem in rules(found)
    assert {partition for _, _, partition in rules(found)} == {"b"}


def test_several_faults_are_found_at_once(tmp_path, january):
    found = verdict(tmp_path, a=january.drop("temp", "late"), b=january.with_columns(more=1))
    assert rules(found) == {
        ("temp", "missing-column", "a"),
        ("late", "missing-column", "a"),
        ("more", "extra-column", "b"),
    }


def test_one_label_over_everything_cannot_be_learned(tmp_path, january):
    found = verdict(tmp_path, a=january.with_columns(late=1), b=january.with_columns(late=1))
    assert rules(found) == {("late", "one-label", None)}


def test_one_label_in_one_partition_alone_is_no_fault(tmp_path, january):
    assert verdict(tmp_path, a=january.with_columns(late=1), b=january.with_columns(late=0))["passed"]


def test_times_as_iso_text_are_times(tmp_path, january):
    as_text = january.with_columns(pl.col("scheduled_at").dt.to_string("%Y-%m-%dT%H:%M:%SZ"))
    assert verdict(tmp_path, a=as_text)["passed"]


def test_no_partition_at_all_is_a_fault(tmp_path):
    assert rules(validate(tmp_path, READ)) == {(None, "no-rows", None)}


def test_a_truncated_file_is_a_fault_of_its_partition_alone(tmp_path, january):
    january.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-100])
    assert rules(validate(tmp_path, READ)) == {(None, "unreadable", "b")}


def test_the_job_fails_with_the_faults_in_its_exit_message(tmp_path, january, capsys):
    data = tmp_path / "processing" / DATA_INPUT
    data.mkdir(parents=True)
    january.drop("temp").write_parquet(data / "2013-01.parquet")
    assert main(["validate"], job(tmp_path, SPEC)) == 1
    message = (tmp_path / "output" / "message").read_text()
    assert "1 problem(s): 2013-01: temp: is missing" in message
    assert "Traceback" not in capsys.readouterr().err
    assert not json.loads((tmp_path / "processing" / VALIDATION_OUTPUT / VALIDATION_FILE).read_text())["passed"]


def test_the_job_succeeds_on_sound_data(tmp_path, january):
    data = tmp_path / "processing" / DATA_INPUT
    data.mkdir(parents=True)
    january.write_parquet(data / "2013-01.parquet")
    assert main(["validate"], job(tmp_path, SPEC)) == 0
    assert (tmp_path / "output" / "message").read_text().startswith("200 rows in 1 partition(s)")
