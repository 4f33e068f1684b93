"""Several hosts report what one would, exactly, or not at all."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from infra.demo import flights
from monitoring import gathering
from monitoring.__main__ import main
from monitoring.baseline import compute_baseline
from monitoring.contract import (
    BASELINE_FILE,
    BASELINE_INPUT,
    DRIFT_REPORT_FILE,
    MODEL_INPUT,
    QUARANTINE_FILE,
    REPORT_OUTPUT,
)
from monitoring.counting import Part
from monitoring.errors import MonitoringError
from monitoring.explanations.sample import Sample
from monitoring.fairness.decisions import Decisions
from monitoring.gathering import part_from_json, part_to_json
from monitoring.hosts import Hosts
from monitoring.profile import Distribution, Profile
from monitoring.spec import Spec
from monitoring.tally import COUNTS, Refusal, Tally
from tests.unit.monitoring.conftest import DRIFT_SPEC, SPEC, csv, job, lines, record

NAMES = ("algo-1", "algo-2", "algo-3")
ENDPOINT = DRIFT_SPEC["endpoint"]
JULY = datetime(2013, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(gathering, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(gathering, "PATIENCE_SECONDS", 0.05)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="capture")
        yield


@pytest.fixture(scope="module")
def explained(winter, predictor):
    """The baseline of a model whose answers are to be explained."""
    return compute_baseline(winter.head(5000), predictor, Spec.from_json(json.dumps(SPEC | {"explained_rows": 100})))


@pytest.fixture
def run(tmp_path, explained, model_archive):
    """Runs the drift job as one host of a processing job; returns its exit code, output folder and message."""

    def run(host, names=NAMES, execution="run-1", **window):
        root = tmp_path / execution / f"{len(names)}-{host}"
        (root / "processing" / BASELINE_INPUT).mkdir(parents=True)
        (root / "processing" / BASELINE_INPUT / BASELINE_FILE).write_text(json.dumps(explained.to_json()))
        (root / "processing" / MODEL_INPUT).mkdir()
        shutil.copy(model_archive, root / "processing" / MODEL_INPUT)
        (root / "config").mkdir()
        (root / "config/resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": [*names]}))
        report = {"LocalPath": f"/opt/ml/processing/{REPORT_OUTPUT}", "S3Uri": "s3://capture/drift/2013-08-01"}
        request = {
            "ProcessingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{execution}",
            "ProcessingInputs": [{"InputName": "window", "S3Input": window}] if window else [],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": report}]},
        }
        (root / "config/processingjobconfig.json").write_text(json.dumps(request))
        spec = DRIFT_SPEC | {"false_alarm_rate": 0.05, "groups": ["origin", "carrier"], "explained_rows": 100}
        code = main(["drift"], job(root, spec, SAGESTACK_WINDOW_END="2013-08-01T06:00:00Z"))
        return code, root / "processing" / REPORT_OUTPUT, (root / "output/message").read_text()

    return run


def capture(hour, *records, name="a"):
    key = f"flight-delay/{ENDPOINT}/main/{JULY + timedelta(hours=hour):%Y/%m/%d/%H}/{name}.jsonl"
    boto3.client("s3").put_object(Bucket="capture", Key=key, Body=lines(*records))


@pytest.fixture
def traffic():
    """Fifteen hours of July; a record captured twice, and one that is broken."""
    july = flights.month(7)
    for hour in range(15):
        each = record(csv(july[hour * 100 : hour * 100 + 100]), "0.5\n" * 100, JULY + timedelta(hours=hour))
        capture(hour, each)
        if hour == 7:
            capture(hour, each, {"broken": 1}, name="b")


@pytest.mark.usefixtures("traffic")
def test_three_hosts_report_what_one_reports_and_only_the_first_of_them(run):
    code, alone, _ = run("algo-1", names=("algo-1",))
    assert code == 0
    others = [run(host) for host in NAMES[1:]]
    code, first, message = run("algo-1")
    assert code == 0
    assert (first / DRIFT_REPORT_FILE).read_text() == (alone / DRIFT_REPORT_FILE).read_text()
    assert (first / QUARANTINE_FILE).read_text() == (alone / QUARANTINE_FILE).read_text()
    report = json.loads((first / DRIFT_REPORT_FILE).read_text())
    records = report["records"]
    assert [sum(group["rows"] for group in each["groups"]) for each in report["bias"]] == [1500, 1500]
    assert report["explanations"]["rows"] == 100
    assert (records["files"], records["used"], records["duplicates"], records["refused"]) == (16, 15, 1, 1)
    assert [(code, folder.exists(), said) for code, folder, said in others] == [
        (0, False, "500 rows counted, for algo-1 to report")
    ] * 2
    assert message.startswith("drift in 1500 rows")


@pytest.mark.usefixtures("traffic")
def test_without_a_hosts_part_there_is_no_report_and_no_metric(run):
    run("algo-3")
    code, folder, message = run("algo-1")
    assert code == 1
    assert message.startswith("algo-2 left no part below s3://capture/drift/2013-08-01/parts/run-1")
    assert not folder.exists()
    assert boto3.client("cloudwatch").list_metrics(Namespace="sagestack/monitoring")["Metrics"] == []


@pytest.mark.usefixtures("traffic")
def test_parts_of_a_run_that_failed_are_none_of_the_next_runs(run):
    for host in NAMES[1:]:
        run(host, execution="run-1")
    code, _, message = run("algo-1", execution="run-2")
    assert code == 1
    assert "algo-2, algo-3 left no part" in message


def test_files_given_to_every_host_are_refused(run):
    given = {"LocalPath": "/opt/ml/processing/input/window", "S3DataDistributionType": "FullyReplicated"}
    code, _, message = run("algo-2", **given)
    assert code == 1
    assert "set its S3DataDistributionType to ShardedByS3Key" in message


def test_a_job_that_is_told_of_no_hosts_is_one(tmp_path):
    hosts = Hosts.of(job(tmp_path, DRIFT_SPEC))
    assert hosts.gathers
    assert hosts.own("2013/07/01/05")


@given(st.datetimes(), st.integers(1, 5))
def test_each_hour_is_one_hosts_and_hours_are_dealt_out_evenly(moment, count):
    names = tuple(f"algo-{number}" for number in range(count))
    hosts = [Hosts(name, names) for name in names]
    hours = [f"p/x/{moment.replace(year=2013, month=5) + timedelta(hours=hour):%Y/%m/%d/%H}" for hour in range(count)]
    assert [sum(host.own(hour) for host in hosts) for hour in hours] == [1] * count
    assert [sum(host.own(hour) for hour in hours) for host in hosts] == [1] * count
    assert sum(host.own("no/hour") for host in hosts) == 1


def part(baseline, seed):
    """Any counts over the baseline's bins."""
    chance = np.random.default_rng(seed)

    def column(bins):
        return Distribution(bins, chance.integers(0, 2**40, len(bins.labels())), float(chance.integers(2**40)) / 8)

    tally = Tally(
        **{name: int(count) for name, count in zip(COUNTS, chance.integers(0, 2**40, len(COUNTS)), strict=True)},
        reasons=Counter({str(reason): int(chance.integers(1, 9)) for reason in chance.integers(0, 5, 3)}),
        refused=[Refusal("a.jsonl", "é", str(seed))],
    )
    profile = baseline.profile
    decisions = Decisions(tuple(chance.integers(0, 2**40, each.shape) for each in baseline.no_decisions.counts))
    keys = np.sort(chance.choice(2**40, 5, replace=False)).astype(np.uint64)
    features = tuple(column(each.bins) for each in profile.features)
    sample = Sample(4, keys[:4], chance.choice([0.5, np.nan], (4, len(features))))
    return Part(Profile(features, column(profile.prediction.bins)), tally, decisions=decisions, sample=sample)


def same(one, other):
    """A missing value of a sample is equal to itself as text alone."""
    return json.dumps(part_to_json(one)) == json.dumps(part_to_json(other))


@given(seeds=st.tuples(*[st.integers(0, 2**32)] * 3))
def test_a_part_comes_back_as_it_was_left_and_parts_add_up_in_any_order(baseline, seeds):
    few = replace(
        baseline,
        profile=Profile(baseline.profile.features[-2:], baseline.profile.prediction),
        association=None,
        decided=baseline.decided.of(["origin", "dest"]),
    )
    one, two, three = (part(few, seed) for seed in seeds)
    assert same(part_from_json(json.loads(json.dumps(part_to_json(one))), few), one)
    assert same((one + two) + three, one + (two + three))
    assert (one + two).sample.keys.tolist() == (two + one).sample.keys.tolist()
    assert (one + two).tally.reasons == (two + one).tally.reasons
    assert (one + two).profile.features[0].counts.tolist() == (two + one).profile.features[0].counts.tolist()
    assert same(one + Part.empty(few), one)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"columns": []},
        {"tally": {"filez": 1}},
        {"columns": 3},
        {"refused": [1]},
        {"decisions": [[[1, 2]]]},
    ],
)
def test_a_part_that_does_not_fit_is_refused(baseline, change):
    with pytest.raises(MonitoringError, match="a host's part is"):
        part_from_json(part_to_json(Part.empty(baseline)) | change, baseline)
