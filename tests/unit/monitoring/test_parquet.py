"""A window given as Parquet counts as the baseline did, in pieces as in one."""

import json
from datetime import UTC, datetime

import boto3
import polars as pl
import pytest
from moto import mock_aws

from infra.demo import flights
from monitoring import parquet
from monitoring.__main__ import main
from monitoring.contract import BASELINE_FILE, BASELINE_INPUT, DRIFT_REPORT_FILE, REPORT_OUTPUT, WINDOW_INPUT
from monitoring.errors import MonitoringError
from monitoring.parquet import count_parquet
from tests.unit.monitoring.conftest import CATEGORICAL, DRIFT_SPEC, NUMERIC, csv, job, lines, record


@pytest.fixture
def file(winter, tmp_path):
    path = tmp_path / "winter.parquet"
    winter.select(*NUMERIC, *CATEGORICAL).write_parquet(path, row_group_size=1000)
    return path


def test_the_training_data_counts_as_in_the_baseline(baseline, file, winter, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS", 700)
    part = count_parquet([file], baseline)
    assert [each.counts.tolist() for each in part.profile.features] == [
        each.counts.tolist() for each in baseline.profile.features
    ]
    assert part.profile.prediction.missing == len(winter)
    assert (part.tally.files, part.tally.read, part.tally.used, part.tally.rows) == (1, *[len(winter)] * 3)


def test_scores_are_counted_where_there_are_any_and_other_columns_are_left_alone(baseline, file, winter):
    rows = winter.select(*NUMERIC, *CATEGORICAL, "late").with_columns(score=pl.lit(0.25))
    rows.write_parquet(file)
    assert count_parquet([file], baseline).profile.prediction.mean == pytest.approx(0.25)


def test_numbers_and_categories_of_other_kinds_are_taken_as_they_are_meant(baseline, file, winter):
    changed = [pl.col("temp").cast(pl.Float32), pl.col("carrier").cast(pl.Categorical)]
    winter.select(*NUMERIC, *CATEGORICAL).with_columns(changed).write_parquet(file)
    assert count_parquet([file], baseline).profile.features[-3].counts[-2:].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop("temp", "carrier"), "winter.parquet lacks the model's input temp, carrier"),
        (lambda rows: rows.with_columns(temp=pl.lit("warm")), "temp is String: must be a number"),
        (lambda rows: rows.with_columns(carrier=pl.lit(1.5)), "carrier is Float64: must be text or a whole number"),
        (lambda rows: rows.with_columns(score=pl.lit("high")), "score is String: must be a number"),
    ],
)
def test_a_file_that_does_not_fit_the_model_is_refused(baseline, file, winter, change, *, message):
    change(winter).write_parquet(file)
    with pytest.raises(MonitoringError, match=message):
        count_parquet([file], baseline)


def test_what_is_no_parquet_is_said_to_be_none(baseline, file):
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(MonitoringError, match="is no readable Parquet file"):
        count_parquet([file], baseline)


def test_a_job_that_is_given_its_window_as_files_asks_s3_for_nothing(baseline, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    given, window = (tmp_path / "processing" / name for name in (BASELINE_INPUT, WINDOW_INPUT))
    given.mkdir(parents=True)
    (given / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))
    (window / "2013/07/01/05").mkdir(parents=True)
    july = flights.month(7)
    july[1000:].write_parquet(window / "july.parquet")
    captured = lines(record(csv(july[:1000]), None, datetime(2013, 7, 1, 5, tzinfo=UTC)))
    (window / "2013/07/01/05/a.jsonl").write_bytes(captured)
    with mock_aws():
        assert main(["drift"], job(tmp_path, DRIFT_SPEC, SAGESTACK_WINDOW_END="2013-08-01T06:00:00Z")) == 0
        assert boto3.client("cloudwatch").list_metrics()["Metrics"]
    report = json.loads((tmp_path / "processing" / REPORT_OUTPUT / DRIFT_REPORT_FILE).read_text())
    assert report["records"]["rows"] == len(july)
    assert report["records"]["files"] == 2
    assert report["status"] == "drift"
