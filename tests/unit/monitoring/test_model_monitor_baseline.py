"""A user's own Model Monitor baseline is used as far as it goes, and refused with the reason where it cannot be."""

import json
from datetime import UTC, datetime

import boto3
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from monitoring.__main__ import main
from monitoring.contract import (
    BASELINE_INPUT,
    CONSTRAINTS_FILE,
    DRIFT_REPORT_FILE,
    REPORT_OUTPUT,
    STATISTICS_FILE,
)
from monitoring.errors import MonitoringError
from monitoring.model_monitor import constraints, statistics
from monitoring.model_monitor_baseline import read_model_monitor
from monitoring.spec import Spec
from tests.unit.monitoring.conftest import DRIFT_SPEC, SPEC, csv, job, lines, record

COLUMNS = Spec.from_json(json.dumps(SPEC | {"numeric": ["age"], "categorical": ["plan"]}))


def age(*buckets, present=None, missing=0, **change):
    """A numeric feature as Model Monitor writes it; a bucket is (lower bound, upper bound, count)."""
    held = sum(count for *_, count in buckets) if present is None else present
    written = [{"lower_bound": low, "upper_bound": high, "count": count} for low, high, count in buckets]
    numbers = {
        "common": {"num_present": held, "num_missing": missing},
        "mean": 1.0, "sum": float(held), "std_dev": 1.0, "min": 0.0, "max": 30.0,
        "distribution": {"kll": {"buckets": written, "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": []}}},
    }  # fmt: skip
    return {"name": "age", "inferred_type": "Fractional", "numerical_statistics": numbers | change}


def plan(present=10, **counts):
    buckets = [{"value": value, "count": count} for value, count in counts.items()]
    known = {"common": {"num_present": present, "num_missing": 2}, "distinct_count": len(counts)}
    categorical = {"distribution": {"categorical": {"buckets": buckets}}}
    return {"name": "plan", "inferred_type": "String", "string_statistics": known | categorical}


def write(folder, *features, domain=None, version=0):
    (folder / STATISTICS_FILE).write_text(json.dumps({"version": version, "features": features}))
    if domain is not None:
        named = [{"name": "plan", "string_constraints": {"domains": domain}}]
        (folder / CONSTRAINTS_FILE).write_text(json.dumps({"version": 0.0, "features": named}))


BUCKETS = ((0.0, 10.0, 5), (10.0, 30.0, 5))


def test_values_fall_into_the_bins_that_model_monitor_counted_them_in(tmp_path):
    write(tmp_path, plan(basic=9, pro=1), {"name": "late"}, age(*BUCKETS, missing=3))
    found = read_model_monitor(tmp_path, COLUMNS).profile
    numbers, categories = found.features
    assert numbers.counts.tolist() == [0, 5, 5, 0, 3]
    assert numbers.bins.count(pl.Series([-1.0, 0.0, 9.9, 10.0, 30.0, 31.0, None])).tolist() == [1, 2, 2, 1, 1]
    assert categories.counts.tolist() == [9, 1, 0, 0, 2]
    assert categories.bins.categories == ("basic", "pro")
    assert found.prediction.rows == 0


def test_a_category_that_is_allowed_but_not_counted_is_rare_and_not_new(tmp_path):
    write(tmp_path, plan(present=12, basic=10), age(*BUCKETS), domain=["basic", "trial"])
    found = read_model_monitor(tmp_path, COLUMNS).profile.features[1]
    assert found.counts.tolist() == [10, 2, 0, 2]
    assert found.bins.count(pl.Series(["trial", "pirate"])).tolist() == [0, 1, 1, 0]


def test_a_constant_has_bins_to_either_side(tmp_path):
    write(tmp_path, plan(basic=10), age(present=10, min=7.0, max=7.0, missing=1))
    found = read_model_monitor(tmp_path, COLUMNS).profile.features[0]
    assert found.counts.tolist() == [0, 10, 0, 1]
    assert found.bins.count(pl.Series([6.9, 7.0, 7.1])).tolist() == [1, 1, 1, 0]


@given(bounds=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9, unique=True).map(sorted), data=st.data())
def test_every_row_that_was_counted_is_counted_again(tmp_path_factory, bounds, data):
    counts = data.draw(st.lists(st.integers(0, 9), min_size=len(bounds) - 1, max_size=len(bounds) - 1))
    folder = tmp_path_factory.mktemp("given")
    write(folder, plan(basic=10), age(*zip(bounds[:-1], bounds[1:], counts, strict=True)))
    found = read_model_monitor(folder, COLUMNS).profile.features[0]
    values = np.repeat(bounds[:-1], counts)
    assert found.bins.count(pl.Series(values, dtype=pl.Float64)).tolist() == found.counts.tolist()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([plan(basic=10)], "statistics.json lacks the feature age"),
        ([plan(basic=10), age(*BUCKETS, present=11)], "the buckets of age do not hold its 11 values"),
        ([plan(basic=9), age(*BUCKETS)], "the categories of plan are not all named"),
        ([plan(basic=10), plan() | {"name": "age"}], "age is String, the model's input of another type"),
        ([3], "is not Model Monitor's: TypeError"),
    ],
)
def test_what_cannot_be_compared_with_is_refused_with_the_reason(tmp_path, features, message):
    write(tmp_path, *features)
    with pytest.raises(MonitoringError, match=message):
        read_model_monitor(tmp_path, COLUMNS)


def test_another_version_is_refused(tmp_path):
    write(tmp_path, age(*BUCKETS), plan(basic=10), version=1)
    with pytest.raises(MonitoringError, match="has version 1: this image reads 0"):
        read_model_monitor(tmp_path, COLUMNS)


def test_the_drift_job_takes_it_and_says_what_it_is(tmp_path, monkeypatch, winter, baseline):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = tmp_path / "processing" / BASELINE_INPUT
    folder.mkdir(parents=True)
    split = winter.select(baseline.schema.names())
    (folder / STATISTICS_FILE).write_text(json.dumps(statistics(split, baseline.profile)))
    (folder / CONSTRAINTS_FILE).write_text(json.dumps(constraints(split, baseline.profile)))
    rows, when = winter.sample(2000, seed=1), datetime(2013, 7, 9, tzinfo=UTC)
    hot = rows.with_columns(pl.col("temp") + 40)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="capture")
        key = f"flight-delay/{DRIFT_SPEC['endpoint']}/main/2013/07/09/00/a.jsonl"
        s3.put_object(Bucket="capture", Key=key, Body=lines(record(csv(hot), "0.5\n" * 2000, when)))
        code = main(["drift"], job(tmp_path, DRIFT_SPEC, SAGESTACK_WINDOW_END="2013-08-01T06:00:00Z"))
    assert code == 0, (tmp_path / "output/message").read_text()
    report = json.loads((tmp_path / "processing" / REPORT_OUTPUT / DRIFT_REPORT_FILE).read_text())
    assert (report["drifted_features"], report["baseline_format"]) == (["temp"], "model-monitor")
    assert (report["prediction"], report["multivariate"]) == (None, [])
    said = (tmp_path / "output/message").read_text()
    assert said.endswith("(a Model Monitor baseline: predictions and correlations are not compared)")
