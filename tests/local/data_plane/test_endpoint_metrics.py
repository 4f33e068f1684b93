from datetime import timedelta

import pytest
from botocore.exceptions import ClientError


def test_a_minute_of_invocations_is_published_when_it_is_over(live):
    clock = live.cloud
    clock.advance(clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1))
    minute = clock.now().replace(second=0, microsecond=0)
    for _ in range(3):
        live.invoke()
    with pytest.raises(ClientError):
        live.invoke(b"error 400")
    clock.advance(minute + timedelta(minutes=1))
    expected = {"Invocations": 4, "InvocationsPerInstance": 4, "Invocation4XXErrors": 1, "Invocation5XXErrors": 0}
    for metric, total in expected.items():
        assert statistics(live, metric, minute)["Sum"] == total
    latency = statistics(live, "ModelLatency", minute)
    assert (latency["SampleCount"], latency["Unit"]) == (4, "Microseconds")
    assert 0 < latency["Minimum"] <= latency["Maximum"] < 1e6


def statistics(deployment, metric, minute):
    (point,) = deployment.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[
            {"Name": "EndpointName", "Value": deployment.name},
            {"Name": "VariantName", "Value": "main"},
        ],
        StartTime=minute,
        EndTime=minute + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]
    return point
