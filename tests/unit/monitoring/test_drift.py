"""The drift job on real flights, against S3 and CloudWatch: summer is not winter, winter is."""

import json
import shutil
from collections import Counter
from datetime import UTC, datetime

import boto3
import polars as pl
import pytest
from moto import mock_aws

from infra.demo import flights
from monitoring.__main__ import main
from monitoring.baseline import compute_baseline
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_INPUT,
    CORRELATION_DRIFT_METRIC,
    DRIFT_REPORT_FILE,
    MODEL_INPUT,
    REPORT_OUTPUT,
    VIOLATIONS_FILE,
)
from monitoring.scoring import matrix
from monitoring.spec import Spec
from tests.unit.monitoring.conftest import CATEGORICAL, DRIFT_SPEC, NUMERIC, SPEC, csv, job, lines, record

ENDPOINT = DRIFT_SPEC["endpoint"]
ROWS_A_RECORD = 250


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="capture")
        yield


@pytest.fixture
def folder(tmp_path):
    """Where the job finds its baseline."""
    folder = tmp_path / "processing" / BASELINE_INPUT
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def drift(tmp_path, folder, baseline):
    """Runs the job for a window; returns its exit code, report and violations."""
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))

    def run(end, **change):
        code = main(["drift"], job(tmp_path, DRIFT_SPEC | change, SAGESTACK_WINDOW_END=end))
        output = tmp_path / "processing" / REPORT_OUTPUT
        return code, *(json.loads((output / name).read_text()) for name in (DRIFT_REPORT_FILE, VIOLATIONS_FILE))

    return run


def capture(rows, predictor, key):
    """Captured traffic of `rows`, its records at the flights' own times."""
    scores = predictor.score(matrix(rows, predictor.signature))
    records = [
        record(
            csv(rows[start : start + ROWS_A_RECORD]),
            "".join(f"{float(score)!r}\n" for score in scores[start : start + ROWS_A_RECORD]),
            rows["scheduled_at"][start],
        )
        for start in range(0, len(rows), ROWS_A_RECORD)
    ]
    put(lines(*records), key)
    return scores


def put(content, key):
    boto3.client("s3").put_object(Bucket="capture", Key=f"flight-delay/{ENDPOINT}/main/{key}", Body=content)


def published():
    """Metric values by name and feature, all stamped with one moment."""
    metrics = boto3.client("cloudwatch").list_metrics(Namespace="sagestack/monitoring")["Metrics"]
    query = [
        {"Id": f"m{index}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
        for index, metric in enumerate(metrics)
    ]
    window = {"StartTime": datetime(2013, 7, 31, 23, tzinfo=UTC), "EndTime": datetime(2013, 8, 1, 1, tzinfo=UTC)}
    found = boto3.client("cloudwatch").get_metric_data(MetricDataQueries=query, **window)["MetricDataResults"]
    names = [
        (metric["MetricName"], {each["Name"]: each["Value"] for each in metric["Dimensions"]}.get("Feature"))
        for metric in metrics
    ]
    assert {each["Value"] for metric in metrics for each in metric["Dimensions"] if each["Name"] == "Endpoint"} == {
        ENDPOINT
    }
    return {name: (one["Timestamps"], one["Values"]) for name, one in zip(names, found, strict=True)}


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


@pytest.fixture
def explained(tmp_path, folder, winter, predictor, model_archive):  # noqa: PLR0917 - fixtures
    """The job's inputs where groups are declared and answers explained."""
    baseline = compute_baseline(winter, predictor, Spec.from_json(json.dumps(SPEC | {"explained_rows": 300})))
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json()))
    (tmp_path / "processing" / MODEL_INPUT).mkdir()
    shutil.copy(model_archive, tmp_path / "processing" / MODEL_INPUT)
    return {"groups": ["origin"], "explained_rows": 300, "minimum_group_rows": 100}


def test_answers_are_compared_by_group_and_explained_beside_the_training_rows(drift, explained, predictor):
    july = flights.month(7)[:5000]
    scores = capture(july, predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    (bias,) = report["bias"]
    answered = july.select("origin").with_columns(answer=pl.Series(scores >= 0.5))
    expected = dict(answered.group_by("origin").agg(pl.col("answer").mean()).iter_rows())
    assert {each["group"]: each["positive_rate"] for each in bias["groups"]} == pytest.approx(expected)
    assert bias["demographic_parity_difference"] == pytest.approx(max(expected.values()) - min(expected.values()))
    explanations = report["explanations"]
    assert (explanations["rows"], {each["name"] for each in explanations["mean_absolute"]}) == (
        300,
        {*NUMERIC, *CATEGORICAL},
    )
    values = {key: values[0] for key, (_, values) in published().items()}
    assert values["DemographicParityDifference", "origin"] == pytest.approx(bias["demographic_parity_difference"])
    assert values["ExplanationRankingAgreement", None] == pytest.approx(explanations["ranking_agreement"])
    heaviest = explanations["mean_absolute"][0]
    assert values["MeanAbsoluteContribution", heaviest["name"]] == pytest.approx(heaviest["current"])


def test_the_compiled_reader_counts_groups_as_the_careful_one_does(  # noqa: PLR0917 - fixtures
    drift, explained, predictor, scan_library, monkeypatch
):
    capture(flights.month(7)[:5000], predictor, "2013/07/01/05/a.jsonl")
    _, careful, _ = drift("2013-08-01T06:00:00Z", **explained)
    monkeypatch.setenv("SAGESTACK_SCAN_LIBRARY", str(scan_library))
    _, compiled, _ = drift("2013-08-01T06:00:00Z", **explained)
    assert compiled["bias"] == careful["bias"]
    assert compiled["explanations"] == careful["explanations"]


def test_what_nobody_asked_for_is_neither_counted_nor_reported(drift, predictor):
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z")
    assert (report["bias"], report["explanations"]) == ([], None)
    assert not {name for name, _ in published()} & {"DisparateImpact", "ExplanationRankingAgreement"}


def test_a_baseline_from_before_groups_and_explanations_is_read_and_gives_none(drift, explained, folder, predictor):
    document = json.loads((folder / BASELINE_FILE).read_text())
    (folder / BASELINE_FILE).write_text(
        json.dumps({k: v for k, v in document.items() if k not in {"decided", "explained"}})
    )
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    code, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    assert (code, report["bias"], report["explanations"]) == (0, [], None)
    assert report["notes"] == [
        "answers are not compared by group: the baseline knows of none",
        "answers are not explained: the baseline was made without",
    ]


def test_a_model_that_the_baseline_was_not_made_with_explains_nothing(  # noqa: PLR0917 - fixtures
    drift, explained, folder, predictor, tmp_path
):
    document = json.loads((folder / BASELINE_FILE).read_text())
    (folder / BASELINE_FILE).write_text(json.dumps(document | {"model_sha256": "0" * 64}))
    capture(flights.month(7)[:1000], predictor, "2013/07/01/05/a.jsonl")
    _, report, _ = drift("2013-08-01T06:00:00Z", **explained)
    why = "answers are not explained: the model is not the one that the baseline was made with"
    assert (report["explanations"], report["notes"]) == (None, [why])
    assert (tmp_path / "output/message").read_text().endswith(f"; {why}")
    assert f"{why.capitalize()}." in (tmp_path / "processing" / REPORT_OUTPUT / "report.html").read_text()


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
