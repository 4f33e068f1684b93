"""What dashboards ask CloudWatch, asked: the pictures show what endpoints really did."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from infra.constructs import overview, pictures
from infra.naming import Names
from infra.prices import prices

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def busy(served):
    """Three requests and an error in one minute of an hour of their own; the hour."""
    clock = served.cloud
    clock.advance(clock.now().replace(minute=0, second=0, microsecond=0) + HOUR)
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for _ in range(3):
        served.invoke()
    with pytest.raises(ClientError):
        served.invoke(b"error 500")
    clock.advance(hour + 3 * MINUTE)
    return hour


def queries(picture):
    """A picture's rows as GetMetricData takes them."""
    for place, (*named, options) in enumerate(picture.properties("us-east-1")["metrics"]):
        shown = {"Id": options.get("id", f"q{place}"), "ReturnData": options.get("visible", True)}
        if named:
            namespace, name, *flat = named
            dimensions = [{"Name": key, "Value": value} for key, value in zip(flat[::2], flat[1::2], strict=True)]
            metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
            yield shown | {"MetricStat": {"Metric": metric, "Period": picture.period, "Stat": options["stat"]}}
        else:
            yield shown | {"Expression": options["expression"], "Period": picture.period}


def drawn(served, hour, picture):
    """The picture's lines in that hour, those that have a value: from label or id to value."""
    answer = served.cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[*queries(picture), {"Id": "forced", "Expression": "1", "ReturnData": False}],
        StartTime=hour,
        EndTime=hour + HOUR,
    )
    return [(line["Label"], line["Values"][0]) for line in answer["MetricDataResults"] if line["Values"]]


def titled(shown, title):
    return next(picture for picture in shown if picture.title.startswith(title))


def test_a_models_pictures_show_its_requests_errors_latency_instances_and_their_cost(served, busy):
    shown = pictures.answering(served.name, {"main": "ml.m5.large"}, "us-east-1")
    requests, errors, latency, instances, cost = (
        [value for _, value in drawn(served, busy, titled(shown, title))]
        for title in ("Requests", "Errors", "Model latency", "Instances", "Cost")
    )
    assert requests == [4, 4]
    assert errors[0] == 0.25
    assert len(latency) == 3
    assert latency == sorted(latency)
    assert instances == pytest.approx([3 / 60])  # three minutes of the hour so far, of one instance
    assert cost == pytest.approx([prices("us-east-1").instance_hour("ml.m5.large").usd * 3 / 60])


def test_the_pictures_over_all_models_find_the_endpoint_by_its_environments_words(served, busy):
    prefix, environment = served.name.split("-")
    ours = overview.pictures(Names(prefix, environment, "123456789012", "us-east-1"))
    theirs = overview.pictures(Names(prefix, "elsewhere", "123456789012", "us-east-1"))
    for title, expected in (("Requests", 4), ("Requests that failed", 0.25), ("Instances", 3 / 60)):
        picture = next(one for one in ours if one.title.split(" (")[0].split(",")[0].startswith(title))
        assert expected in [pytest.approx(value) for _, value in drawn(served, busy, picture)], title
        other = next(one for one in theirs if one.title == picture.title)
        assert drawn(served, busy, other) == []


def test_what_the_local_cloud_cannot_compute_is_refused(served, busy):
    cloudwatch = served.cloud.client("cloudwatch")
    for expression in ("SELECT AVG(CPUUtilization)", "SEARCH('anything', 'Sum', 60)", "m9 * 2", "RATE(m1)"):
        with pytest.raises(ClientError) as refused:
            cloudwatch.get_metric_data(
                MetricDataQueries=[{"Id": "e1", "Expression": expression}], StartTime=busy, EndTime=busy + HOUR
            )
        assert refused.value.response["Error"]["Code"] == "ValidationError"
