"""Whatever is captured, the drift job reports: what was read, used and refused, and why; by either reader of records.

Each test runs the whole job on a small model: a number `x` and a category `c`.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

import boto3
import numpy as np
import polars as pl
import pytest
from moto import mock_aws

from monitoring.__main__ import main
from monitoring.baseline_document import Baseline
from monitoring.bins import CategoricalBins, NumericBins
from monitoring.contract import BASELINE_FILE, BASELINE_INPUT, REPORT_OUTPUT
from monitoring.profile import Profile
from tests.unit.monitoring.conftest import DRIFT_SPEC, job, lines, record

SPEC = DRIFT_SPEC | {"schedule": "daily", "numeric": ["x"], "categorical": ["c"], "minimum_rows": 10}
DAY = datetime(2013, 7, 9, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
ROWS = "\n".join(f"{number},{'ab'[number % 2]}" for number in range(20))
ANSWER = "0.5\n" * 20


@pytest.fixture(params=["careful", "compiled"])
def reader(request, monkeypatch, scan_library):
    """Both readers of records, the careful one and the compiled one that hands back what is not ordinary."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("SAGESTACK_SCAN_LIBRARY", str(scan_library) if request.param == "compiled" else "")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="capture")
        yield request.param


@pytest.fixture
def drift(reader, tmp_path):
    """Runs the job for the day: its report, and the first lines set aside. Every record is accounted for."""
    assert reader

    def run(x=range(20), c="ab", change=None):
        write_baseline(tmp_path, [*x], [c[number % len(c)] for number in range(len(x))], change or {})
        code = main(["drift"], job(tmp_path, SPEC, SAGESTACK_WINDOW_END="2013-07-10T06:00:00Z"))
        message = (tmp_path / "output/message").read_text()
        if code:
            return message
        output = tmp_path / "processing" / REPORT_OUTPUT
        report = json.loads((output / "drift_report.json").read_text(), parse_constant=pytest.fail)
        assert "Captured records" in (output / "report.html").read_text()
        records = report["records"]
        parts = [records[name] for name in ("used", "outside_window", "duplicates", "refused")]
        assert records["read"] == sum(parts)
        assert records["refused"] == sum(records["reasons"].values())
        aside = output / "quarantine.jsonl"
        quarantined = aside.read_text().splitlines() if aside.exists() else []
        assert len(quarantined) == records["refused"]
        return report

    return run


def write_baseline(root, x, c, change):
    rows = pl.DataFrame({"x": x, "c": c}, schema={"x": pl.Float64, "c": pl.String})
    bins = (NumericBins.fit(rows["x"]), CategoricalBins.fit(rows["c"]))
    scores = pl.Series("score", np.linspace(0, 1, len(rows)))
    baseline = Baseline("flight-delay", SPEC["problem"], "0", Profile.of(bins, NumericBins.fit(scores), rows, scores))
    folder = root / "processing" / BASELINE_INPUT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BASELINE_FILE).write_text(json.dumps(baseline.to_json() | change))


def put(*records, hour=12, name="00-00-a", day=DAY):
    body = b"".join(each if isinstance(each, bytes) else lines(each) for each in records)
    key = f"flight-delay/{SPEC['endpoint']}/main/{day:%Y/%m/%d}/{hour:02}/{name}.jsonl"
    boto3.client("s3").put_object(Bucket="capture", Key=key, Body=body)


def good(rows=ROWS, answer=ANSWER, when=NOON, **change):
    return record(rows, answer, when, **change)


def one(report, name):
    return next(each for each in report["features"] if each["name"] == name)


def test_broken_lines_are_counted_and_set_aside_and_the_rest_is_analysed(drift):
    put(good(), b"{\n", b"[1, 2]\n", b"\xff\xfe\x00\n", b"null\n", b"\n", good())
    report = drift()
    assert (report["records"]["used"], report["records"]["rows"]) == (2, 40)
    assert report["records"]["reasons"]["the line is not a capture record"] >= 3
    assert report["drifted_features"] == []


def test_of_mixed_versions_of_the_record_the_known_one_is_read(drift):
    put(good(), good() | {"eventVersion": "1"}, good())
    records = drift()["records"]
    assert (records["used"], records["reasons"]) == (2, {"the record's eventVersion is not 0": 1})


def test_base64_json_and_csv_stand_beside_each_other(drift):
    documents = [{"x": float(number), "c": "ab"[number % 2]} for number in range(20)]
    scores = [{"score": 0.5}] * 20
    encoded = good(base64.b64encode(ROWS.encode()).decode(), ANSWER, encoding="BASE64")
    json_side = {"observedContentType": "application/json", "encoding": "JSON"}
    as_json = good(json.dumps({"instances": documents}), ANSWER, **json_side)
    as_json["captureData"]["endpointOutput"] |= json_side | {"data": json.dumps({"predictions": scores})}
    body = "\n".join(json.dumps(document) for document in documents)
    as_lines = good(body, ANSWER, observedContentType="application/jsonlines", encoding="JSON")
    put(good(), encoded, as_json, as_lines)
    records = drift()["records"]
    assert (records["used"], records["rows"], records["reasons"]) == (4, 80, {})


def test_what_is_not_base64_though_it_says_so_is_refused(drift):
    put(good(), good("%%%", ANSWER, encoding="BASE64"))
    assert drift()["records"]["reasons"] == {"the record has no input that can be read": 1}


def test_a_record_counts_by_its_own_clock_in_whatever_hours_file_it_was_written(drift):
    midnight = DAY + timedelta(days=1)
    put(good(when=midnight - timedelta(seconds=1)), good(when=midnight), hour=0, day=midnight, name="59-00-late")
    put(good(when=DAY), hour=23, day=DAY - timedelta(days=1), name="57-00-skewed")
    put(good(when=DAY - timedelta(seconds=1)), hour=0, name="00-00-early")
    records = drift()["records"]
    assert (records["used"], records["outside_window"], records["files"]) == (2, 2, 3)


def test_hours_that_are_empty_or_not_there_are_no_fault(drift):
    put(b"", hour=3)
    put(b"\n\n", hour=4)
    put(good(), hour=5)
    records = drift()["records"]
    assert (records["files"], records["read"], records["used"]) == (3, 1, 1)


def test_a_whole_day_without_a_request_is_reported_as_zero_rows(drift):
    report = drift()
    assert (report["status"], report["records"]["read"], report["records"]["files"]) == ("not-enough-data", 0, 0)


def test_an_event_that_was_written_twice_counts_once_in_whichever_files_of_the_hour(drift):
    twice = good()
    put(twice, good(), twice, name="00-00-a")
    put(twice, name="30-00-b")
    records = drift()["records"]
    assert (records["used"], records["duplicates"], records["rows"]) == (2, 2, 40)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "churn"}, "the baseline is of model churn, the job's spec of flight-delay"),
        ({"schema_version": 2}, "baseline.json has schema_version 2: this image reads 1"),
        ({"features": 3}, "baseline.json is damaged"),
    ],
)
def test_a_baseline_of_another_model_version_or_shape_fails_the_job_with_the_reason(drift, change, message):
    put(good())
    assert message in drift(change=change)


@pytest.mark.parametrize(
    "known", [[None] * 20, [7.0] * 20, [float("inf")] * 20], ids=["all null", "constant", "infinite"]
)
def test_a_feature_that_says_nothing_in_training_is_compared_and_its_return_to_life_is_drift(drift, known):
    put(good())
    feature = one(drift(x=known), "x")
    assert np.isfinite(feature["value"])
    assert feature["drifted"]


@pytest.mark.parametrize("known", [[None] * 20, [7.0] * 20], ids=["all null", "constant"])
def test_a_feature_that_says_nothing_in_training_nor_now_has_not_drifted(drift, known):
    value = "" if known[0] is None else "7"
    put(good("\n".join(f"{value},{'ab'[number % 2]}" for number in range(20))))
    feature = one(drift(x=known), "x")
    assert (feature["value"], feature["drifted"]) == (0.0, False)


def test_infinite_values_lie_in_the_outer_bins_and_no_report_has_one(drift):
    put(good("\n".join(f"{value},a" for value in ["inf", "-inf", "1e999", "-1e999", "1e308"] * 4)))
    report = drift()
    assert report["records"]["rows"] == 20
    assert one(report, "x")["missing_rate"] == 0
    assert one(report, "x")["drifted"]


def test_text_where_a_number_belongs_is_refused_with_the_reason_and_its_record_alone(drift):
    put(good(), good(ROWS.replace("7,b", "seven,b")), good())
    records = drift()["records"]
    assert records["used"] == 2
    assert records["reasons"] == {"a value is not of its feature's type": 1}


def test_a_hundred_thousand_categories_are_counted_as_new_and_shown_in_one_line(drift, tmp_path):
    rows = [f"{number},category-{number}" for number in range(100_000)]
    put(*(good("\n".join(rows[start : start + 10_000]), "0.5\n" * 10_000) for start in range(0, 100_000, 10_000)))
    report = drift()
    assert report["records"]["rows"] == 100_000
    assert one(report, "c")["drifted"]
    output = tmp_path / "processing" / REPORT_OUTPUT
    assert (
        "100.00% of the values are of no category in the baseline"
        in (output / "constraint_violations.json").read_text()
    )
    assert (output / "report.html").stat().st_size < 50_000


def test_a_hundred_thousand_categories_in_training_are_twenty_bins_and_a_rare_one(drift):
    put(good("\n".join(f"{number},{number}" for number in range(20))))
    known = [str(number) for number in range(100_000)]
    feature = one(drift(x=range(100_000), c=known), "c")
    assert np.isfinite(feature["value"])
