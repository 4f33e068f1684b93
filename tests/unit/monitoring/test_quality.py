"""The quality job: late labels joined to captured answers, and a count of everything that could not be."""

import json
from datetime import UTC, datetime

import boto3
import numpy as np
import pytest
from moto import mock_aws

from monitoring.__main__ import main
from monitoring.contract import QUALITY_REPORT_FILE, REPORT_OUTPUT
from tests.unit.monitoring.conftest import DRIFT_SPEC, SPEC, job, lines, record

ENDPOINT = DRIFT_SPEC["endpoint"]
QUALITY_SPEC = SPEC | {
    "endpoint": ENDPOINT,
    "variant": "main",
    "capture_uri": "s3://capture/flight-delay",
    "ground_truth_uri": "s3://data/flight-delay/ground-truth",
    "schedule": "monthly",
    "minimum_rows": 20,
    "label_delay_days": 14,
}
JULY = datetime(2013, 7, 9, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="capture")
        boto3.client("s3").create_bucket(Bucket="data")
        yield


@pytest.fixture
def quality(tmp_path):
    def run(end="2013-08-15T06:00:00Z", **change):
        code = main(["quality"], job(tmp_path, QUALITY_SPEC | change, SAGESTACK_WINDOW_END=end))
        assert code == 0, (tmp_path / "output" / "message").read_text()
        return json.loads((tmp_path / "processing" / REPORT_OUTPUT / QUALITY_REPORT_FILE).read_text())

    return run


def answered(id_, *scores, when=JULY, **metadata):
    one = record("\n".join(["1,2"] * len(scores)), "".join(f"{score}\n" for score in scores), when)
    return one | {"eventMetadata": one["eventMetadata"] | {"eventId": id_} | metadata}


def truth(id_, *labels):
    data = {"data": "\n".join(map(str, labels)), "encoding": "CSV"}
    return {"groundTruthData": data, "eventMetadata": {"eventId": id_}, "eventVersion": "0"}


def capture(*records):
    key = f"flight-delay/{ENDPOINT}/main/2013/07/09/12/a.jsonl"
    boto3.client("s3").put_object(Bucket="capture", Key=key, Body=lines(*records))


def label(*records, day="2013/08/10"):
    key = f"flight-delay/ground-truth/{day}/00/labels.jsonl"
    body = b"".join(each if isinstance(each, bytes) else lines(each) for each in records)
    boto3.client("s3").put_object(Bucket="data", Key=key, Body=body)


def test_labels_that_came_weeks_later_tell_how_good_the_answers_were(quality):
    generator = np.random.default_rng(1)
    scores = generator.random(400).round(3)
    labels = (generator.random(400) < scores).astype(int)
    capture(*(answered(str(number), score) for number, score in enumerate(scores)))
    label(*(truth(str(number), each) for number, each in enumerate(labels[:200])), day="2013/07/20")
    label(*(truth(str(number), each) for number, each in enumerate(labels[200:], 200)), day="2013/08/14")
    report = quality()
    assert report["window"] == {"start": "2013-07-01T00:00:00Z", "end": "2013-08-01T00:00:00Z"}
    assert (report["status"], report["labelled_rows"], report["records"]["rows"]) == ("measured", 400, 400)
    pairs = [np.sign(one - other) / 2 + 0.5 for one in scores[labels == 1] for other in scores[labels == 0]]
    assert report["metrics"]["auc"]["value"] == pytest.approx(np.mean(pairs))
    for metric, value in report["estimate_without_labels"].items():
        assert report["metrics"][metric]["low"] <= value <= report["metrics"][metric]["high"]


def test_the_clients_inference_id_is_the_key_where_it_gave_one(quality):
    capture(*(answered(f"event-{number}", 0.5, inferenceId=f"flight-{number}") for number in range(20)))
    label(*(truth(f"flight-{number}", number % 2) for number in range(20)))
    assert quality()["labelled_rows"] == 20


def test_a_request_of_many_rows_is_joined_row_by_row(quality):
    capture(answered("a", *([0.25] * 20)), answered("b", 0.5, 0.5))
    label(truth("a", *([0, 1] * 10)), truth("b", 1))
    report = quality()
    assert report["labelled_rows"] == 20
    assert report["metrics"]["log_loss"]["value"] == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2)
    assert report["labels"]["reasons"] == {"labels and predictions differ in number": 1}


def test_what_could_not_be_joined_is_counted_with_its_reason(quality):
    without_output = answered("c", 0.5)
    del without_output["captureData"]["endpointOutput"]
    capture(answered("a", 0.5), answered("A", 0.6, inferenceId="a"), answered("b", 1.5), without_output)
    label(truth("a", 1), truth("a", 0), truth("z", 1), truth("b", 2), b"nonsense\n", truth(7, 1), truth("n", "nan"))
    report = quality(minimum_rows=1)
    assert report["records"]["reasons"] == {
        "the id was seen before": 1, "a score is not from 0 to 1": 1, "the record has no output": 1,
    }  # fmt: skip
    assert report["labels"] == {
        "read": 7,
        "refused": 5,
        "reasons": {
            "a label is not 0 or 1": 2,
            "the id was seen before": 1,
            "the line is not a ground truth record": 1,
            "the record has neither inferenceId nor eventId": 1,
        },
        "without_answer": 1,
    }
    assert report["labelled_rows"] == 1


def test_too_few_labels_say_so_and_the_estimate_stands_alone(quality, tmp_path):
    capture(*(answered(str(number), 0.3) for number in range(30)))
    label(*(truth(str(number), 0) for number in range(19)))
    report = quality()
    assert (report["status"], report["metrics"], report["labelled_rows"]) == ("not-enough-labels", {}, 19)
    entropy = pytest.approx(-0.3 * np.log(0.3) - 0.7 * np.log(0.7))
    assert report["estimate_without_labels"] == {"log_loss": entropy, "f1": 0.0}
    said = (tmp_path / "output" / "message").read_text()
    assert said.startswith("not enough labels: 19 rows have one, 20 needed; estimated, if the scores are calibrated: ")


def test_what_counts_as_1_is_the_owners_to_say(quality):
    capture(*(answered(str(number), 0.3) for number in range(20)))
    label(*(truth(str(number), number % 2) for number in range(20)))
    assert quality()["metrics"]["f1"]["value"] == 0
    assert quality(decision_threshold=0.25)["metrics"]["f1"]["value"] == pytest.approx(2 / 3)


def test_labels_that_have_not_come_yet_are_not_known_yet(quality):
    capture(*(answered(str(number), 0.3) for number in range(30)))
    label(*(truth(str(number), 0) for number in range(30)), day="2013/08/17")
    assert quality()["status"] == "not-enough-labels"


def test_a_regression_has_errors_in_its_own_unit_and_no_estimate(quality):
    capture(*(answered(str(number), 100 + number) for number in range(20)))
    label(*(truth(str(number), 103 + number) for number in range(20)))
    report = quality(problem="regression")
    assert report["metrics"] == {name: {"value": 3.0, "low": 3.0, "high": 3.0} for name in ("rmse", "mae")}
    assert report["estimate_without_labels"] is None


def published(dimension="Metric"):
    """The latest value of each of the job's metrics, by name and dimension; and the moments they are stamped with."""
    cloudwatch = boto3.client("cloudwatch")
    values, moments = {}, set()
    for one in cloudwatch.list_metrics(Namespace="sagestack/monitoring")["Metrics"]:
        named = {each["Name"]: each["Value"] for each in one["Dimensions"]}
        assert named["Endpoint"] == ENDPOINT
        points = cloudwatch.get_metric_statistics(
            **one, StartTime=JULY, EndTime=datetime(2013, 9, 1, tzinfo=UTC), Period=3600, Statistics=["Maximum"]
        )["Datapoints"]
        moments |= {point["Timestamp"] for point in points}
        values[one["MetricName"], named.get(dimension)] = points[-1]["Maximum"]
    return values, moments


def answer_half_of_the_positives_high():
    capture(*(answered(str(number), 0.6 + number / 10_000 if number % 4 else 0.4) for number in range(400)))
    label(*(truth(str(number), number % 2) for number in range(400)))


def test_each_metric_is_published_with_its_better_end_stamped_when_it_was_measured(quality):
    answer_half_of_the_positives_high()
    report = quality()
    values, moments = published()
    assert moments == {datetime(2013, 8, 1, tzinfo=UTC)}
    for name, measured in report["metrics"].items():
        assert values["Quality", name] == pytest.approx(measured["value"])
        best = measured["high" if name in {"auc", "f1"} else "low"]
        assert values["QualityAtBest", name] == pytest.approx(best)
        if name in report["estimate_without_labels"]:
            assert values["QualityEstimate", name] == pytest.approx(report["estimate_without_labels"][name])
    assert values["LabelledRows", None] == 400


def test_a_window_without_labels_publishes_zero_labelled_rows_and_no_quality(quality):
    assert quality()["status"] == "not-enough-labels"
    assert published()[0] == {("LabelledRows", None): 0}


def test_labels_that_take_longer_than_a_period_are_still_published_where_alarms_look(quality):
    quality(end="2013-08-01T06:00:00Z", label_delay_days=20)
    assert published()[1] == {datetime(2013, 8, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("metric", "limit_of", "better"), [("auc", "high", 1), ("f1", "high", 1), ("log_loss", "low", -1)]
)
def test_it_is_worse_only_where_even_the_better_end_of_the_interval_is(quality, metric, limit_of, better):
    answer_half_of_the_positives_high()
    end = quality()["metrics"][metric][limit_of]
    just_good_enough = quality(metric=metric, limit=end)
    assert (just_good_enough["status"], just_good_enough["watched"]["limit"]) == ("good-enough", end)
    assert quality(metric=metric, limit=end + better * 1e-6)["status"] == "worse"


def test_the_exit_message_begins_with_the_limit_that_was_missed(quality, tmp_path):
    answer_half_of_the_positives_high()
    quality(metric="auc", limit=0.9)
    assert (tmp_path / "output" / "message").read_text().startswith("auc beyond 0.9: quality of 400 labelled rows: auc")


def test_true_positive_rates_are_told_by_group_of_rows_whose_label_has_come(quality):
    """Of 40 from each airport that were late, 30 and 10 were said to be."""
    rows = [
        ("EWR" if number < 40 else "JFK", 1, 0.9 if number % 40 < (30 if number < 40 else 10) else 0.1)
        for number in range(80)
    ]
    fields = len(SPEC["numeric"])
    sent = [record(",".join(["1"] * fields + ["AA", origin, "ORD"]), f"{score}\n", JULY) for origin, _, score in rows]
    for number, one in enumerate(sent):
        one["eventMetadata"]["eventId"] = str(number)
    unread = answered("unread", 0.9)
    capture(*sent, unread)
    label(*(truth(str(number), each) for number, (_, each, _) in enumerate(rows)), truth("unread", 0))
    (bias,) = quality(groups=["origin"])["bias"]
    told = {each["group"]: (each["rows"], each["true_positive_rate"]) for each in bias["groups"]}
    assert told == {"EWR": (40, 0.75), "JFK": (40, 0.25)}
    assert bias["equal_opportunity_difference"] == 0.5
    assert published("Feature")[0]["EqualOpportunityDifference", "origin"] == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": ["sex"]}, 'groups is ["sex"]: must be categorical features'),
        ({"metric": "rmse"}, 'metric is "rmse": must be one of auc, f1, log_loss, calibration_error, or null'),
        ({"limit": 0.5}, "limit is 0.5: must be null where there is no metric"),
        ({"ground_truth_uri": "labels/"}, 'ground_truth_uri is "labels/": must be an S3 URI, s3://bucket/prefix'),
        ({"decision_threshold": 2.0}, "decision_threshold is 2.0: must be from 0 to 1"),
        ({"label_delay_days": -1}, "label_delay_days is -1: must be at least 0"),
    ],
)
def test_a_wrong_spec_names_the_key_and_the_rule(tmp_path, change, message):
    assert main(["quality"], job(tmp_path, QUALITY_SPEC | change, SAGESTACK_WINDOW_END="2013-08-15T06:00:00Z")) == 1
    assert message in (tmp_path / "output" / "message").read_text()
