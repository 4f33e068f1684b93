"""Updates that shift traffic step by step, under load: what the load sees, and what the endpoint says."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

BAKE_SECONDS = 3600
"""Longer than any test waits: its end comes when a test moves the clock."""


def canary(percent=10, alarms=(), **more):
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
        "WaitIntervalInSeconds": BAKE_SECONDS,
    }
    return deployment_config({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}, alarms)


def deployment_config(policy, alarms=()):
    watched = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {"DeploymentConfig": policy | watched}


def rolling(size, alarms=()):
    batch = {"Type": "INSTANCE_COUNT", "Value": size}
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": BAKE_SECONDS}}
    return deployment_config(policy, alarms)


def alarm(live, metric, threshold, statistic="Average", *, of=None):
    """An alarm on all of the endpoint's instances, or those `of` one configuration."""
    name = f"{live.name}-{of or 'all'}-{metric}"
    dimensions = {"EndpointName": live.name, "VariantName": "main"}
    if of is not None:
        dimensions["EndpointConfigName"] = f"{live.name}-{of}"
    live.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        **({"ExtendedStatistic": statistic} if statistic.startswith("p") else {"Statistic": statistic}),
    )
    return name


def update(live, version="v2", *, instances=1, model=None, **more):
    live.model(version, **(model or {}))
    live.config(version, instances=instances)
    return live.update(version, **more)


def load(live, requests):
    """What so many requests, eight at a time, were answered: the model's name, or the error's status.

    By plain HTTP: signing alone would take longer than the answers.
    """
    url = urlsplit(live.cloud.endpoint_url)
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=local/20130101/us-east-1/sagemaker/aws4_request"}

    def ask(count):
        with closing(HTTPConnection(url.hostname, url.port)) as connection:
            for _ in range(count):
                connection.request("POST", f"/endpoints/{live.name}/invocations", b"1,2", headers)
                response = connection.getresponse()
                body = json.loads(response.read())
                yield body["model"] if response.status == 200 else response.status

    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda worker: list(ask(len(range(worker, requests, 8)))), range(8))
    return Counter(answer for part in parts for answer in part)


def bake(live):
    """Let one baking period pass."""
    live.cloud.advance(seconds=BAKE_SECONDS)
    return live.describe()


def state(described):
    return described["EndpointStatus"], described["EndpointConfigName"].rsplit("-", 1)[-1]


def test_a_canary_answers_its_share_then_everything_and_no_request_fails(live):
    described = update(live, **canary(10))
    assert state(described) == ("Updating", "v1")
    pending = described["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == f"{live.name}-v2"
    assert pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Baking"
    assert load(live, 1000) == {"v1": 900, "v2": 100}
    with ThreadPoolExecutor(1) as pool:
        meanwhile = pool.submit(load, live, 500)
        described = bake(live)
        assert set(meanwhile.result()) <= {"v1", "v2"}
    assert state(described) == ("Updating", "v1")
    assert load(live, 100) == {"v2": 100}
    described = bake(live)
    assert state(described) == ("InService", "v2")
    assert "PendingDeploymentSummary" not in described
    assert load(live, 100) == {"v2": 100}


def test_a_linear_update_answers_step_by_step(live):
    step = {"Type": "CAPACITY_PERCENT", "Value": 50}
    routing = {"Type": "LINEAR", "LinearStepSize": step, "WaitIntervalInSeconds": BAKE_SECONDS}
    update(live, **deployment_config({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}))
    for expected in ({"v1": 50, "v2": 50}, {"v2": 100}):
        assert load(live, 100) == expected
        described = bake(live)
    assert state(described) == ("InService", "v2")


def test_a_rolling_update_replaces_instances_batch_by_batch(live):
    live.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=live.name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    live.cloud.settle()
    described = update(live, instances=2, **rolling(1))
    (pending,) = described["PendingDeploymentSummary"]["ProductionVariants"]
    assert pending["CurrentInstanceCount"] == 1
    assert load(live, 100) == {"v1": 50, "v2": 50}
    described = bake(live)
    (old,), (new,) = described["ProductionVariants"], described["PendingDeploymentSummary"]["ProductionVariants"]
    assert (old["CurrentInstanceCount"], new["CurrentInstanceCount"]) == (1, 2)
    assert load(live, 100) == {"v2": 100}
    assert state(bake(live)) == ("InService", "v2")


@pytest.mark.parametrize(
    ("model", "watched"),
    [
        ({"error": 500}, ("Invocation5XXErrors", 0.01, "Average")),
        ({"seconds": 0.3}, ("ModelLatency", 250_000, "p99")),
    ],
    ids=["answers 500", "is slow"],
)
def test_a_bad_model_is_taken_back_and_costs_no_more_than_the_canarys_share(live, model, watched):
    name = alarm(live, *watched)
    update(live, model=model, **canary(10, [name]))
    seen = load(live, 300)
    live.cloud.advance(seconds=60)
    described = live.describe()
    assert state(described) == ("InService", "v1")
    assert f"the CloudWatch alarm {name} went into the ALARM state" in described["FailureReason"]
    assert 270 <= seen["v1"] < 300
    assert load(live, 50) == {"v1": 50}


def test_an_alarm_on_one_configurations_instances_hears_of_no_others(live):
    old, new = (alarm(live, "Invocation5XXErrors", 0.01, of=version) for version in ("v1", "v2"))
    update(live, model={"error": 500}, **canary(10, [old]))
    load(live, 100)
    live.cloud.advance(seconds=60)
    raised = live.cloud.client("cloudwatch").describe_alarms(AlarmNames=[old, new])["MetricAlarms"]
    assert {one["AlarmName"]: one["StateValue"] for one in raised} == {old: "OK", new: "ALARM"}
    assert state(bake(live)) == ("Updating", "v1")
    assert state(bake(live)) == ("InService", "v2")


def test_an_alarm_that_rings_before_the_bake_takes_the_update_back_at_once(live, listen):
    events = listen({"detail-type": ["SageMaker Endpoint State Change"], "detail": {"EndpointName": [live.name]}})
    name = alarm(live, "Invocation5XXErrors", 0.01)
    live.cloud.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert state(update(live, **canary(10, [name]))) == ("InService", "v1")
    told = sorted(events.read(), key=lambda event: event["time"])
    assert {event["detail"]["EndpointStatus"] for event in told} == {"UPDATING", "ROLLING_BACK", "IN_SERVICE"}


def test_a_rolling_update_that_is_taken_back_leaves_the_old_fleet_whole(live):
    live.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=live.name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    live.cloud.settle()
    name = alarm(live, "Invocation5XXErrors", 0.01)
    update(live, instances=2, **rolling(1, [name]))
    bake(live)
    live.cloud.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    live.cloud.settle()
    described = live.describe()
    assert state(described) == ("InService", "v1")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert len({live.ask()["pid"] for _ in range(6)}) == 2


def test_a_canary_that_never_becomes_healthy_sees_no_request(live):
    described = update(live, model={"healthy": False}, **canary(10))
    assert state(described) == ("InService", "v1")
    assert "did not pass the ping health check" in described["FailureReason"]
    assert load(live, 50) == {"v1": 50}


def test_an_update_that_takes_longer_than_it_may_is_taken_back(live):
    described = update(live, **canary(10, MaximumExecutionTimeoutInSeconds=600))
    live.cloud.advance(seconds=600)
    described = live.describe()
    assert state(described) == ("InService", "v1")
    assert "did not complete within 600 seconds" in described["FailureReason"]


def test_with_nobody_to_move_the_clock_the_waiting_times_of_an_update_pass_quickly(live, eventually):
    all_at_once = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 30}
    policy = {"TrafficRoutingConfiguration": all_at_once, "TerminationWaitInSeconds": 30}
    before = live.cloud.now()
    assert state(update(live, **deployment_config({"BlueGreenUpdatePolicy": policy})))[0] == "Updating"
    eventually(lambda: state(live.describe()) == ("InService", "v2"))
    assert (live.cloud.now() - before).total_seconds() > 60


def test_an_update_keeps_what_it_is_told_to_of_the_live_variants(live):
    live.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=live.name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}],
    )
    live.cloud.settle()
    weight = [{"VariantPropertyType": "DesiredWeight"}]
    described = update(live, RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=weight)
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 1)
