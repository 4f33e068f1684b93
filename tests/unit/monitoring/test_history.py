"""The windows before this one: which reports are looked back on, and what the page makes of them."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from monitoring.history import SHOWN, History, read_history
from monitoring.page.past import Past
from monitoring.spec import DriftSpec
from monitoring.window import Window
from tests.unit.monitoring.conftest import DRIFT_SPEC

PLACES = {
    "reports_uri": "s3://registry/flight-delay/drift",
    "quality_reports_uri": "s3://registry/flight-delay/quality",
}
JULY = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="registry")
        yield


def spec(**change):
    return DriftSpec.from_json(json.dumps(DRIFT_SPEC | PLACES | {"baseline_model_version": 2} | change))


def window(month, year=2013):
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    return {"start": f"{year}-{month:02}-01T00:00:00Z", "end": f"{following[0]}-{following[1]:02}-01T00:00:00Z"}


def drift(month, ratio=0.0, **change):
    return {
        "schema_version": 1,
        "endpoint": DRIFT_SPEC["endpoint"],
        "baseline_model_version": 2,
        "window": window(month),
        "status": "drift" if ratio >= 1 else "no-drift",
        "features": [{"name": "temp", "value": ratio / 4, "threshold": 0.25}],
        "prediction": {"value": 0.1, "threshold": 0.2},
    } | change


def put(report, fired=None, kind="drift"):
    text = report if isinstance(report, str) else json.dumps(report)
    fired = fired or report["window"]["end"].replace("T00", "T06")
    boto3.client("s3").put_object(
        Bucket="registry", Key=f"flight-delay/{kind}/{fired}/{kind}_report.json", Body=text.encode()
    )


def read(**change):
    return read_history(boto3.client("s3"), spec(**change), JULY)


def test_reports_of_the_windows_before_are_read_the_oldest_first_and_this_ones_and_later_ones_are_not():
    for month in (6, 4, 5, 7, 8):
        put(drift(month))
    put(drift(5) | {"window": window(5), "schema_version": 1}, fired="2013-06-01T06:00:00Z")
    assert [report["window"]["start"][:7] for report in read().drift] == ["2013-04", "2013-05", "2013-06"]


def test_of_a_window_that_was_reported_on_twice_the_last_report_counts():
    put(drift(6, 0.5))
    put(drift(6, 3.0), fired="2013-07-03T10:00:00Z")
    assert [report["status"] for report in read().drift] == ["drift"]


def test_what_is_damaged_of_another_version_or_another_endpoint_is_passed_over():
    put("not JSON", fired="2013-05-01T06:00:00Z")
    put("[1]", fired="2013-05-02T06:00:00Z")
    put(drift(4, schema_version=9))
    put(drift(5, endpoint="another"))
    put(drift(6) | {"window": None}, fired="2013-07-02T06:00:00Z")
    put(drift(3, features=[3]))
    put(drift(2, status=None))
    assert read() == History()


def test_no_more_windows_are_looked_back_on_than_are_shown_however_many_there_are():
    for day in range(1, 29):
        ended = f"2013-06-{day:02}T00:00:00Z"
        put(drift(6) | {"window": {"start": ended, "end": ended}}, fired=f"2013-06-{day:02}T06:00:00Z")
    assert len(read().drift) == SHOWN


def test_without_a_place_nothing_is_read_and_what_s3_refuses_is_told_and_not_raised():
    assert read(reports_uri=None, quality_reports_uri=None) == History()
    assert "could not be read" in read(reports_uri="s3://nobodys/drift").unread


def past(reports, *, quality=(), ratio=2.0):
    feature = SimpleNamespace(
        name="temp",
        ratio=ratio,
        value=ratio / 4,
        threshold=0.25,
        drifted=ratio >= 1,
        statistic=SimpleNamespace(name="psi"),
    )
    findings = SimpleNamespace(features=(feature,), prediction=None, status="drift" if ratio >= 1 else "no-drift")
    return Past(spec(), JULY, findings, History(tuple(reports), tuple(quality)))


def test_a_feature_drifts_since_the_first_window_without_a_break():
    reports = [drift(2, 3.0), drift(3, 0.1), drift(4, 1.0), drift(5, 4.0), drift(6, 1.5)]
    (row,) = past(reports).movements()
    assert row.since == "since Apr 2013"
    assert [cell.ratio for cell in row.before] == [3.0, 0.1, 1.0, 4.0, 1.5]
    assert past(reports).since() == "Apr 2013"


def test_a_drift_after_a_quiet_window_is_new_and_where_there_is_none_nothing_is_said():
    assert past([drift(5, 4.0), drift(6, 0.9)]).movements()[0].since == "new in this window"
    assert past([drift(6, 4.0)], ratio=0.5).movements()[0].since == ""
    assert past([drift(6, 4.0)], ratio=0.5).since() == ""


def test_where_there_is_no_window_before_nobody_claims_that_drift_is_new():
    assert (past([]).movements()[0].since, past([]).since()) == ("", "")
    assert past([drift(6, 0.1, baseline_model_version=1)]).since() == ""


def test_a_window_with_too_few_rows_breaks_the_row_as_nothing_is_known_of_it():
    nothing = drift(6, features=[], prediction=None, status="not-enough-data")
    (row,) = past([drift(5, 4.0), nothing]).movements()
    assert (row.since, [cell.ratio for cell in row.before]) == ("new in this window", [4.0, None])


def test_a_window_that_nobody_reported_on_breaks_the_row_too():
    assert past([drift(3, 4.0), drift(4, 4.0), drift(6, 4.0)]).movements()[0].since == "since Jun 2013"
    assert past([drift(4, 4.0), drift(5, 4.0)]).movements()[0].since == ""


def test_windows_held_against_another_versions_baseline_are_shown_but_do_not_count():
    (row,) = past([drift(5, 4.0, baseline_model_version=1), drift(6, 2.0)]).movements()
    assert row.since == "since Jun 2013"
    assert [cell.other_baseline for cell in row.before] == [True, False]


def quality(month, value, status="good-enough", **change):
    ends = {} if value is None else {"auc": {"value": value, "low": value - 0.01, "high": value + 0.01}}
    watched = {"metric": "auc", "limit": 0.65, "baseline": 0.72}
    return {
        "schema_version": 1,
        "endpoint": DRIFT_SPEC["endpoint"],
        "window": window(month),
        "status": status,
        "watched": watched,
        "metrics": ends,
        "estimate_without_labels": {"auc": 0.7},
    } | change


def test_quality_is_told_window_by_window_and_where_labels_lack_only_as_an_estimate():
    for report in (quality(4, 0.7), quality(5, 0.6, "worse"), quality(6, None, "not-enough-labels")):
        put(report, kind="quality")
    told = past([], quality=read().quality)
    assert [(one.window, one.value, one.low, one.estimate) for one in told.measured()] == [
        ("Apr 2013", 0.7, 0.69, 0.7),
        ("May 2013", 0.6, 0.59, 0.7),
        ("Jun 2013", None, None, 0.7),
    ]
    assert told.watched == ("auc", 0.65, 0.72)
    assert told.last_quality() == ("0.6", "auc in May 2013", True)
