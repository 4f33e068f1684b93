from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test/server:1"
CONTAINERS = {"prepare": {"append": ",prepared"}, "score": {}}


@pytest.fixture
def pipeline(deployment):
    """Begin an endpoint of several containers, each with a behaviour of its own."""

    def create(behaviours, **more):
        containers = [
            {"Image": IMAGE, "ModelDataUrl": deployment.artifact(name, **behaviour)}
            | ({"ContainerHostname": name} if not name.startswith("container-") else {})
            for name, behaviour in behaviours.items()
        ]
        name = f"{deployment.name}-v1"
        deployment.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers, **more)
        deployment.config()
        return deployment

    return create


def test_each_container_is_a_process_and_gets_what_the_one_before_answered(pipeline):
    deployment = pipeline(CONTAINERS)
    description = deployment.create()
    assert len(description["ProductionVariants"][0]["DeployedImages"]) == 2
    answer = deployment.ask(b"1,2", Accept="application/json")
    assert (answer["model"], answer["body"]) == ("score", len(b"1,2,prepared"))
    assert answer["headers"]["Content-Type"] == "text/csv"
    assert answer["headers"]["Accept"] == "application/json"
    deployment.cloud.advance(seconds=60)
    for name in CONTAINERS:
        (point,) = latencies(deployment, name)
        assert (point["SampleCount"], 0 < point["Maximum"] < 60e6) == (1, True)
    deployment.delete()
    group = f"/aws/sagemaker/Endpoints/{deployment.name}"
    streams = deployment.cloud.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    assert {stream["logStreamName"].rsplit("/", 1)[-1] for stream in streams} == set(CONTAINERS)


def latencies(deployment, container):
    named = {"ContainerName": container, "EndpointName": deployment.name, "VariantName": "main"}
    now = deployment.cloud.now()
    return deployment.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ContainerLatency",
        Dimensions=[{"Name": name, "Value": value} for name, value in named.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=3600,
        Statistics=["SampleCount", "Maximum"],
    )["Datapoints"]


@pytest.mark.parametrize("culprit", ["container-1", "container-2"])
def test_an_error_names_the_container_that_answered_it(pipeline, culprit):
    first = {"append": "", "trusting": True} if culprit == "container-2" else {}
    deployment = pipeline({"container-1": first, "container-2": {}})
    deployment.create()
    with pytest.raises(ClientError, match=rf"client error \(400\) from {culprit} with message") as caught:
        deployment.invoke(b"error 400")
    assert caught.value.response["OriginalStatusCode"] == 400


def test_a_container_that_is_never_healthy_is_named_by_the_endpoints_failure(pipeline):
    deployment = pipeline({"prepare": {}, "score": {"healthy": False}})
    answer = deployment.create()
    assert answer["EndpointStatus"] == "Failed"
    assert (
        "The score container for production variant main did not pass the ping health check" in answer["FailureReason"]
    )


def test_containers_invoked_directly_are_asked_by_name_one_at_a_time(pipeline):
    deployment = pipeline({"one": {}, "two": {}}, InferenceExecutionConfig={"Mode": "Direct"})
    deployment.create()
    assert [deployment.ask(TargetContainerHostname=name)["model"] for name in ("one", "two")] == ["one", "two"]
    with pytest.raises(ClientError, match="TargetContainerHostname is three, but it must be one of one, two"):
        deployment.ask(TargetContainerHostname="three")
    with pytest.raises(ClientError, match="TargetContainerHostname is None"):
        deployment.ask()


def test_a_container_cannot_be_chosen_where_all_are_asked(pipeline):
    deployment = pipeline(CONTAINERS)
    deployment.create()
    with pytest.raises(ClientError, match="for models whose containers are invoked directly"):
        deployment.ask(TargetContainerHostname="score")
