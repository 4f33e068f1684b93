import os
import time
from datetime import timedelta

import psutil
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


def test_how_busy_an_instance_is_is_measured_and_published_for_each(live):
    clock = live.cloud
    clock.advance(clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1))
    live.invoke()
    clock.advance(clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1))
    minute = clock.now().replace(second=0, microsecond=0)
    began = time.monotonic()
    live.invoke(b"busy 0.5")
    clock.advance(minute + timedelta(minutes=1))
    elapsed = time.monotonic() - began
    cpu, memory, disk = (
        statistics(live, f"{name}Utilization", minute, namespace="/aws/sagemaker/Endpoints")
        for name in ("CPU", "Memory", "Disk")
    )
    assert {(one["SampleCount"], one["Unit"]) for one in (cpu, memory, disk)} == {(1, "Percent")}
    assert 100 * 0.4 / (elapsed + 1) < cpu["Sum"] <= 100 * os.cpu_count() * 1.1
    assert 0 < memory["Sum"] < 50
    assert disk["Sum"] == pytest.approx(psutil.disk_usage(str(live.cloud.handle.home)).percent, abs=2)


def statistics(deployment, metric, minute, namespace="AWS/SageMaker"):
    (point,) = deployment.cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
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
