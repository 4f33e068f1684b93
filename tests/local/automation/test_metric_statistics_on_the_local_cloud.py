"""GetMetricStatistics takes a metric by all of its dimensions, as AWS does."""

from datetime import timedelta


def test_a_metric_that_has_a_dimension_more_is_another_metric(cloud, unique):
    cloudwatch, now = cloud.client("cloudwatch"), cloud.now()

    def sums(**dimensions):
        points = cloudwatch.get_metric_statistics(
            Namespace=unique,
            MetricName="Requests",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return [point["Sum"] for point in points]

    for value, dimensions in ((4, {"Endpoint": "a"}), (1, {"Endpoint": "a", "Configuration": "b"})):
        named = [{"Name": name, "Value": one} for name, one in dimensions.items()]
        data = {"MetricName": "Requests", "Dimensions": named, "Timestamp": now, "Value": value}
        cloudwatch.put_metric_data(Namespace=unique, MetricData=[data])
    assert sums(Endpoint="a") == [4]
    assert sums(Configuration="b", Endpoint="a") == [1]
    assert sums(Configuration="b") == []
