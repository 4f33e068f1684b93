"""The drift job on real flights, against S3 and CloudWatch: summer is not winter, winter is."""

import json
from collections import Counter
from datetime import UTC, datetime

import boto3
import polars as pl
import pytest

from infra.demo import flights
from monitoring.__main__ import main
from monitoring.contract import (
    BASELINE_FILE,
    CORRELATION_DRIFT_METRIC,
    REPORT_OUTPUT,
)
from tests.unit.monitoring.captured import capture, published, put
from tests.unit.monitoring.conftest import DRIFT_SPEC, csv, job, lines, record


def test_july_is_not_winter(drift, predictor):
    july = flights.month(7)
    scores = [
        *capture(july[:14000], predictor, "2013/07/01/05/a.jsonl"),
        *capture(july[14000:], predictor, "2013/07/16/05/b.jsonl"),
    ]
    code, report, violations = drift("2013-08-01T06:00:00Z")
    assert code == 0
    assert report["status"] == "drift"
    assert report["window"] == {"start": "2013-07-01T00:00:00Z", "end": "2013-08-01T00:00:00Z"}
    assert report["records"]["rows"] == len(july)
    assert report["records"]["files"] == 2
    assert {"temp", "dewp"} <= set(report["drifted_features"])
    assert not {"carrier", "origin", "distance"} & set(report["drifted_features"])
    assert report["max_psi"] == max(each["value"] for each in report["features"])
    assert report["prediction"]["mean"] == pytest.approx(sum(scores) / len(scores))
    checks = Counter(each["constraint_check_type"] for each in violations["violations"])
    assert checks["baseline_drift_check"] == len(report["drifted_features"])


def test_the_winter_it_was_trained_on_does_not_drift(drift, predictor, winter):
    shuffled = winter.sample(5000, seed=1).with_columns(scheduled_at=pl.lit(datetime(2013, 4, 3, 12, tzinfo=UTC)))
    capture(shuffled, predictor, "2013/04/03/12/a.jsonl")
    _, report, violations = drift("2013-05-01T00:00:00Z")
    assert report["status"] == "no-drift"
    assert report["drifted_features"] == []
    assert report["max_psi"] < 0.05
    assert violations == {"violations": []}


def test_a_window_read_in_small_pieces_is_the_same_window(drift, predictor, monkeypatch):
    july = flights.month(7)
    for day in range(3):
        capture(july[day * 900 : (day + 1) * 900], predictor, f"2013/07/0{day + 1}/05/a.jsonl")
    _, whole, _ = drift("2013-08-01T06:00:00Z")
    monkeypatch.setattr("monitoring.capture_store.PIECE_BYTES", 1000)
    _, in_pieces, _ = drift("2013-08-01T06:00:00Z")
    assert in_pieces["records"] == whole["records"]
    assert in_pieces["features"] == whole["features"]


def test_every_metric_is_stamped_with_the_end_of_the_window(drift, predictor):
    capture(flights.month(7)[:2000], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    found = published()
    assert {moment for moments, _ in found.values() for moment in moments} == {datetime(2013, 8, 1, tzinfo=UTC)}
    values = {name: values[0] for name, (_, values) in found.items()}
    assert values["SampleCount", None] == 2000
    assert values["MaxFeaturePopulationStabilityIndex", None] == report["max_psi"]
    assert values["PredictionPopulationStabilityIndex", None] == report["prediction"]["value"]
    assert values["DriftedFeatures", None] == len(report["drifted_features"])
    assert {
        name: values["PopulationStabilityIndex", name] for name in [each["name"] for each in report["features"]]
    } == {each["name"]: each["value"] for each in report["features"]}


def test_an_empty_window_says_so_and_publishes_a_sample_count_of_zero(drift):
    code, report, violations = drift("2013-08-01T06:00:00Z")
    assert code == 0
    assert report["status"] == "not-enough-data"
    assert (report["features"], report["prediction"], report["max_psi"]) == ([], None, None)
    assert violations == {"violations": []}
    assert {name: values for (name, _), (_, values) in published().items()} == {"SampleCount": [0.0]}


def test_too_few_rows_are_no_drift_however_far(drift, predictor):
    capture(flights.month(7)[:499], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert report["status"] == "not-enough-data"
    assert report["records"]["rows"] == 499


def test_records_that_were_written_late_or_belong_to_other_windows_are_told_apart(drift, predictor):
    capture(flights.month(7)[-1000:], predictor, "2013/08/01/00/late.jsonl")
    capture(flights.month(8)[:1000], predictor, "2013/08/01/00/next.jsonl")
    capture(flights.month(7)[:1000], predictor, "2013/06/30/23/30-00-before.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert report["records"]["rows"] == 1000
    assert report["records"]["outside_window"] == 4
    assert report["records"]["files"] == 2


def test_broken_lines_are_set_aside_and_reported_and_the_rest_is_analysed(drift, predictor, tmp_path):
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    put(b'{"captureData": {"endpoint', "2013/07/01/06/truncated.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert report["status"] == "drift"
    assert report["records"]["refused"] == 1
    assert report["records"]["reasons"] == {"the line is not a capture record": 1}
    (aside,) = map(json.loads, (tmp_path / "processing" / REPORT_OUTPUT / "quarantine.jsonl").read_text().splitlines())
    assert aside["file"].endswith("2013/07/01/06/truncated.jsonl")
    assert (aside["reason"], aside["record"]) == ("the line is not a capture record", '{"captureData": {"endpoint')


def test_features_are_judged_though_no_prediction_was_captured(drift):
    july = flights.month(7)[:1000]
    put(lines(record(csv(july), None, july["scheduled_at"][0])), "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert report["status"] == "drift"
    assert report["prediction"] is None
    assert ("PredictionPopulationStabilityIndex", None) not in published()


def test_a_category_never_seen_before_is_a_violation(drift, predictor, winter):
    rows = winter.sample(2000, seed=2).with_columns(
        carrier=pl.lit("ZZ"), scheduled_at=pl.lit(datetime(2013, 7, 9, tzinfo=UTC))
    )
    capture(rows, predictor, "2013/07/09/00/a.jsonl")
    _, report, violations = drift("2013-08-01T06:00:00Z")
    assert report["drifted_features"] == ["carrier"]
    new = [each for each in violations["violations"] if each["constraint_check_type"] == "categorical_values_check"]
    assert [(each["feature_name"], each["description"]) for each in new] == [
        ("carrier", "100.00% of the values are of no category in the baseline")
    ]


def test_a_feature_that_goes_missing_is_a_violation_beyond_chance_alone(drift, predictor, winter):
    when = pl.lit(datetime(2013, 7, 9, tzinfo=UTC))
    missing = pl.when(pl.int_range(pl.len()) % 50 > 0).then("temp").alias("temp")
    capture(winter.sample(2000, seed=4).with_columns(missing, scheduled_at=when), predictor, "2013/07/09/00/a.jsonl")
    _, report, violations = drift("2013-08-01T06:00:00Z")
    assert report["status"] == "no-drift"
    assert [(each["feature_name"], each["constraint_check_type"]) for each in violations["violations"]] == [
        ("temp", "completeness_check")
    ]


def test_with_a_false_alarm_rate_features_are_looked_at_together(drift, predictor, winter):
    when = pl.lit(datetime(2013, 7, 9, tzinfo=UTC))
    rows = winter.sample(3000, seed=5).with_columns(pl.col("dewp").shuffle(seed=1), scheduled_at=when)
    capture(rows, predictor, "2013/07/09/00/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", false_alarm_rate=0.05)
    assert (report["status"], report["drifted_features"]) == ("drift", [])
    assert "dewp" in report["multivariate"][0]["pairs"][0]["features"]
    assert published()[CORRELATION_DRIFT_METRIC, None][1][0] > 1
    _, report, _ = drift("2013-08-01T06:00:00Z", false_alarm_rate=0.05, multivariate_statistic=None)
    assert (report["status"], report["multivariate"]) == ("no-drift", [])


def test_a_prediction_has_a_threshold_of_its_own(drift, predictor, winter):
    rows = winter.sample(3000, seed=3).with_columns(scheduled_at=pl.lit(datetime(2013, 7, 9, tzinfo=UTC)))
    capture(rows, predictor, "2013/07/09/00/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", prediction_psi_threshold=1e-9)
    assert report["prediction"]["drifted"]
    assert report["status"] == "drift"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "has schema_version 2: this image reads 1"),
        ({"model": "churn"}, "the baseline is of model churn, the job's spec of flight-delay"),
        ({"features": [{"name": "temp"}]}, "baseline.json is damaged: KeyError"),
        ({"features": 3}, "baseline.json is damaged: TypeError"),
    ],
)
def test_a_wrong_baseline_fails_the_job_with_the_reason(folder, baseline, change, message):
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json() | change))
    root = folder.parents[2]
    assert main(["drift"], job(root, DRIFT_SPEC, SAGESTACK_WINDOW_END="2013-08-01T06:00:00Z")) == 1
    assert message in (root / "output" / "message").read_text()


def test_a_missing_baseline_is_named(tmp_path):
    assert main(["drift"], job(tmp_path, DRIFT_SPEC, SAGESTACK_WINDOW_END="2013-08-01T06:00:00Z")) == 1
    assert "there is no baseline.json" in (tmp_path / "output" / "message").read_text()


def test_the_page_says_since_when_from_the_reports_that_earlier_runs_left(drift, predictor, tmp_path):
    places = {"reports_uri": "s3://capture/reports", "baseline_model_version": 2}
    for month, key in ((6, "2013/06/02/05/a.jsonl"), (7, "2013/07/02/05/a.jsonl")):
        capture(flights.month(month)[:2000], predictor, key)
    _, june, _ = drift("2013-07-01T06:00:00Z", **places)
    june_key = "reports/2013-07-01T06:00:00Z/drift_report.json"
    boto3.client("s3").put_object(Bucket="capture", Key=june_key, Body=json.dumps(june).encode())
    _, july, _ = drift("2013-08-01T06:00:00Z", **places)
    assert {"temp"} <= set(june["drifted_features"]) & set(july["drifted_features"])
    page = (tmp_path / "processing" / REPORT_OUTPUT / "report.html").read_text()
    assert "since Jun 2013" in page
