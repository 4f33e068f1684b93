import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def serverless(deployment):
    """Begin a serverless endpoint."""

    def create(*, most=2, provisioned=None, config=None, **behaviour):
        limits = {"MemorySizeInMB": 1024, "MaxConcurrency": most}
        if provisioned is not None:
            limits["ProvisionedConcurrency"] = provisioned
        model = deployment.model(**behaviour)
        deployment.sagemaker.create_endpoint_config(
            EndpointConfigName=model,
            ProductionVariants=[{"VariantName": "main", "ModelName": model, "ServerlessConfig": limits}],
            **(config or {}),
        )
        deployment.create()
        return deployment

    return create


def statistics(deployment, metric):
    cloud = deployment.cloud
    cloud.advance(seconds=60)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[
            {"Name": "EndpointName", "Value": deployment.name},
            {"Name": "VariantName", "Value": "main"},
        ],
        StartTime=cloud.now() - timedelta(hours=1),
        EndTime=cloud.now() + timedelta(minutes=1),
        Period=3600,
        Statistics=["SampleCount", "Maximum"],
    )["Datapoints"]
    return sum(point["SampleCount"] for point in points), max((point["Maximum"] for point in points), default=None)


def test_the_first_request_starts_the_container_and_the_next_finds_it_running(serverless):
    deployment = serverless()
    (variant,) = deployment.describe()["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    assert "CurrentInstanceCount" not in variant
    assert len({deployment.ask()["pid"] for _ in range(3)}) == 1
    count, longest = statistics(deployment, "ModelSetupTime")
    assert (count, longest > 1000) == (1, True)


def test_requests_beyond_the_concurrency_are_throttled_with_awss_error(serverless):
    deployment = serverless(most=2, seconds=1)
    deployment.ask()
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(deployment.ask) for _ in range(2)]
        time.sleep(0.4)
        with pytest.raises(ClientError, match="ThrottlingException") as caught:
            deployment.ask()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert {answer.result()["model"] for answer in slow} == {"v1"}
    assert deployment.ask()["model"] == "v1"
    assert statistics(deployment, "ServerlessConcurrentExecutionsUtilization")[1] == 1


def test_provisioned_concurrency_is_described_and_waits_for_no_start(serverless):
    deployment = serverless(provisioned=1)
    (variant,) = deployment.describe()["ProductionVariants"]
    assert variant["DesiredServerlessConfig"]["ProvisionedConcurrency"] == 1
    assert deployment.ask()["model"] == "v1"
    assert statistics(deployment, "ModelSetupTime")[0] == 0
    assert statistics(deployment, "ServerlessProvisionedConcurrencyUtilization")[1] == 1


def test_a_serverless_body_is_at_most_four_mebibytes(serverless):
    deployment = serverless()
    assert deployment.ask(b"x" * 4_194_304)["body"] == 4_194_304
    with pytest.raises(ClientError, match=r"\(413\).*exceeded 4194304 bytes"):
        deployment.ask(b"x" * 4_194_305)


def test_a_container_that_never_becomes_healthy_fails_the_endpoint_and_not_its_first_caller(serverless):
    deployment = serverless(healthy=False)
    assert deployment.describe()["EndpointStatus"] == "Failed"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"provisioned": 3}, r"ProvisionedConcurrency \(3\) must not exceed MaxConcurrency \(2\)"),
        ({"config": "capture"}, "DataCaptureConfig is not supported for serverless"),
    ],
)
def test_what_aws_refuses_of_serverless_is_refused(serverless, deployment, more, message):
    if more.get("config"):
        more = {"config": deployment.capturing()}
    with pytest.raises(ClientError, match=message):
        serverless(**more)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"DesiredInstanceCount": 2}, "it has no instances"),
        ({"ServerlessUpdateConfig": {"MaxConcurrency": 3}}, "UnsupportedOperation.*ServerlessUpdateConfig"),
    ],
)
def test_serverless_capacity_changes_by_an_update_only(serverless, wish, message):
    deployment = serverless()
    with pytest.raises(ClientError, match=message):
        deployment.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=deployment.name, DesiredWeightsAndCapacities=[{"VariantName": "main", **wish}]
        )
