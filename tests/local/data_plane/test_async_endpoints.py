import base64
import json
import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from botocore.exceptions import ClientError


def create(deployment, *, concurrency=2, topics=None, **behaviour):
    """Begin an asynchronous endpoint."""
    deployment.model(**behaviour)
    output = {"S3OutputPath": f"s3://{deployment.name}/answers", "S3FailurePath": f"s3://{deployment.name}/failures/"}
    client = {"MaxConcurrentInvocationsPerInstance": concurrency}
    if topics:
        output["NotificationConfig"] = topics
    deployment.config(AsyncInferenceConfig={"ClientConfig": client, "OutputConfig": output})
    deployment.create()
    return deployment


@pytest.fixture
def asynchronous(deployment):
    return partial(create, deployment)


@pytest.fixture(scope="module")
def live(shared):
    """An asynchronous endpoint that the tests share."""
    return create(shared)


def ask(deployment, body=b"1,2", **more):
    uri = f"s3://{deployment.name}/requests/{len(body)}.csv"
    deployment.cloud.put(uri, body)
    return deployment.cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=deployment.name, InputLocation=uri, ContentType="text/csv", **more
    )


@pytest.fixture
def topic(cloud, unique, queue):
    """A topic that sends to the queue."""
    sns = cloud.client("sns")
    arn = sns.create_topic(Name=unique)["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    return arn


def scale(deployment, instances):
    deployment.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=deployment.name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": instances}],
    )
    deployment.cloud.settle()


def values(deployment, metric, *dimensions):
    cloud = deployment.cloud
    named = [{"Name": "EndpointName", "Value": deployment.name}, *dimensions]
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=named,
        StartTime=cloud.now() - timedelta(hours=1),
        EndTime=cloud.now() + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return [point["Sum"] for point in sorted(points, key=lambda point: point["Timestamp"])]


def test_an_answer_lands_where_the_caller_was_told(live):
    told = ask(live, InferenceId="flight-7", CustomAttributes="trace=1")
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert told["InferenceId"] == "flight-7"
    assert told["OutputLocation"].startswith(f"s3://{live.name}/answers/")
    live.cloud.settle()
    seen = json.loads(live.cloud.get(told["OutputLocation"]))
    assert (seen["model"], seen["body"]) == ("v1", 3)
    assert seen["headers"]["Content-Type"] == "text/csv"
    assert seen["headers"]["X-Amzn-SageMaker-Inference-Id"] == "flight-7"
    assert seen["headers"]["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1"
    assert live.describe()["AsyncInferenceConfig"]["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 2}


def test_success_and_error_are_told_in_awss_format(asynchronous, topic, queue):
    topics = {
        "SuccessTopic": topic,
        "ErrorTopic": topic,
        "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"],
    }
    deployment = asynchronous(topics=topics)
    good, bad = ask(deployment), ask(deployment, b"error 400")
    messages = {message["inferenceId"]: message for message in queue.read()}
    success, error = messages[good["InferenceId"]], messages[bad["InferenceId"]]
    assert success["requestParameters"] == {
        "contentType": "text/csv",
        "endpointName": deployment.name,
        "inputLocation": f"s3://{deployment.name}/requests/3.csv",
    }
    assert success["responseParameters"] == {
        "contentType": "application/json",
        "outputLocation": good["OutputLocation"],
    }
    assert (success["invocationStatus"], success["eventName"], success["eventSource"]) == (
        "Completed",
        "InferenceResult",
        "aws:sagemaker",
    )
    assert success["receivedTime"] <= success["eventTime"]
    assert "responseBody" not in success
    assert error["invocationStatus"] == "Failed"
    assert 'client error (400) from primary with message "that is wrong"' in error["failureReason"]
    assert base64.b64decode(error["responseBody"]["content"]) == b"that is wrong"
    assert deployment.cloud.get(bad["FailureLocation"]) == b"that is wrong"
    assert not deployment.cloud.keys(bad["OutputLocation"])


def test_an_input_that_is_not_there_is_told_as_a_failure(asynchronous, topic, queue):
    deployment = asynchronous(topics={"ErrorTopic": topic})
    deployment.cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=deployment.name, InputLocation=f"s3://{deployment.name}/nothing"
    )
    (message,) = queue.read()
    assert message["failureReason"].startswith("ClientError: ")
    assert "nothing" in message["failureReason"]


def test_no_more_requests_are_answered_at_once_than_an_instance_takes(asynchronous):
    deployment = asynchronous(concurrency=1, seconds=0.4)
    began = time.monotonic()
    for _ in range(3):
        ask(deployment)
    assert time.monotonic() - began < 1.2, "callers do not wait"
    deployment.cloud.settle()
    assert time.monotonic() - began >= 1.2
    assert len(deployment.cloud.keys(f"s3://{deployment.name}/answers/")) == 3


def test_requests_wait_for_an_endpoint_that_is_scaled_to_zero_and_are_answered_when_it_is_not(asynchronous):
    deployment = asynchronous()
    scale(deployment, 0)
    told = ask(deployment)
    deployment.cloud.advance(seconds=120)
    assert not deployment.cloud.keys(told["OutputLocation"])
    assert values(deployment, "HasBacklogWithoutCapacity")[-1] == 1
    assert values(deployment, "ApproximateBacklogSize")[-1] == 1
    assert values(deployment, "ApproximateAgeOfOldestRequest")[-1] >= 60
    assert not values(deployment, "ApproximateBacklogSizePerInstance")
    scale(deployment, 1)
    assert deployment.cloud.keys(told["OutputLocation"].replace(".out", ""))
    deployment.cloud.advance(seconds=60)
    assert values(deployment, "HasBacklogWithoutCapacity")[-1] == 0
    assert values(deployment, "ApproximateBacklogSizePerInstance")[-1] == 0


def test_a_request_that_waits_too_long_expires(asynchronous, topic, queue):
    deployment = asynchronous(topics={"ErrorTopic": topic})
    scale(deployment, 0)
    ask(deployment, RequestTTLSeconds=60)
    deployment.cloud.advance(seconds=120)
    scale(deployment, 1)
    (message,) = queue.read()
    assert "RequestTTLSeconds" in message["failureReason"]
    assert not deployment.cloud.keys(f"s3://{deployment.name}/answers/")
    variant = {"Name": "VariantName", "Value": "main"}
    assert sum(values(deployment, "ExpiredRequests", variant)) == 1


def test_a_container_that_takes_longer_than_it_may_is_a_failure(asynchronous, topic, queue):
    deployment = asynchronous(topics={"ErrorTopic": topic}, seconds=1.5)
    ask(deployment, InvocationTimeoutSeconds=1)
    (message,) = queue.read()
    assert "no answer from the container: timed out" in message["failureReason"]


def test_every_request_is_counted_and_none_as_a_synchronous_one(asynchronous):
    deployment = asynchronous()
    ask(deployment)
    ask(deployment, b"error 500")
    deployment.cloud.settle()
    variant = {"Name": "VariantName", "Value": "main"}
    counted = {
        name: sum(values(deployment, name, variant))
        for name in ("InvocationsProcessed", "InvocationFailures", "Invocation5XXErrors", "Invocation4XXErrors")
    }
    assert counted == {
        "InvocationsProcessed": 2,
        "InvocationFailures": 1,
        "Invocation5XXErrors": 1,
        "Invocation4XXErrors": 0,
    }
    assert not values(deployment, "Invocations", variant)


def test_an_update_loses_no_request(asynchronous):
    deployment = asynchronous(seconds=0.1)
    deployment.model("v2")
    config = deployment.sagemaker.describe_endpoint_config(EndpointConfigName=f"{deployment.name}-v1")
    deployment.config("v2", AsyncInferenceConfig=config["AsyncInferenceConfig"])
    locations = []

    def load():
        locations.extend(ask(deployment)["OutputLocation"] for _ in range(12))

    thread = threading.Thread(target=load)
    thread.start()
    deployment.update("v2")
    thread.join()
    deployment.cloud.settle()
    assert len(locations) == 12
    assert {json.loads(deployment.cloud.get(location))["model"] for location in locations} <= {"v1", "v2"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"RequestTTLSeconds": 30_000}, "ValidationError.*requestTTLSeconds.*less than or equal to 21600"),
        ({"InvocationTimeoutSeconds": 4000}, "ValidationError.*invocationTimeoutSeconds.*less than or equal to 3600"),
        ({"Filename": "answer.csv"}, "UnsupportedOperation.*Filename"),
    ],
)
def test_a_request_that_cannot_be_taken_is_refused(live, change, message):
    with pytest.raises(ClientError, match=message):
        ask(live, **change)


def test_an_asynchronous_endpoint_answers_only_asynchronous_requests(live):
    with pytest.raises(ClientError, match=r"ValidationError.*use InvokeEndpointAsync"):
        live.invoke()


def test_an_endpoint_that_is_not_asynchronous_takes_no_asynchronous_request(deployment):
    deployment.model()
    deployment.config()
    deployment.create()
    with pytest.raises(ClientError, match=r"ValidationError.*is not asynchronous"):
        ask(deployment)
