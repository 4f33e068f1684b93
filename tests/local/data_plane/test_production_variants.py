import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def two(deployment):
    """An endpoint of two variants, three requests in four for `a`."""
    models = [deployment.model(version) for version in ("v1", "v2")]
    deployment.config(variants=[("a", models[0], 3), ("b", models[1], 1)], **deployment.capturing())
    deployment.create()
    return deployment


def invocations(deployment, variant):
    cloud = deployment.cloud
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": deployment.name},
            {"Name": "VariantName", "Value": variant},
        ],
        StartTime=cloud.now() - timedelta(hours=1),
        EndTime=cloud.now(),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_variants_share_requests_by_weight_each_captured_and_counted_by_itself(two):
    answers = [two.invoke() for _ in range(8)]
    served = [answer["InvokedProductionVariant"] for answer in answers]
    assert (served.count("a"), served.count("b")) == (6, 2)
    assert {json.loads(a["Body"].read())["model"] for a in answers if a["InvokedProductionVariant"] == "b"} == {"v2"}
    two.cloud.advance(seconds=60)
    assert [len(two.captured(variant)[1]) for variant in "ab"] == [6, 2]
    assert [invocations(two, variant) for variant in "ab"] == [6, 2]


def test_a_request_may_choose_its_variant(two):
    assert [two.ask(TargetVariant=name)["model"] for name in "ba"] == ["v2", "v1"]
    with pytest.raises(ClientError, match="Variant c not found for Endpoint; it has a, b"):
        two.ask(TargetVariant="c")


def test_shares_change_with_weights_and_nothing_is_restarted(two):
    pids = {name: two.ask(TargetVariant=name)["pid"] for name in "ab"}
    two.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=two.name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0},
            {"VariantName": "b", "DesiredWeight": 1},
        ],
    )
    two.cloud.settle()
    assert [variant["CurrentWeight"] for variant in two.describe()["ProductionVariants"]] == [0, 1]
    assert {two.ask()["pid"] for _ in range(4)} == {pids["b"]}
    assert two.ask(TargetVariant="a")["pid"] == pids["a"]
