import base64
import io
import json
import os
import re
import signal
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from infra.local.capture import Capture, Message
from infra.local.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore:.*does not match an error shape")  # moto on codes that only we use
ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test/server:1"


def archive(**model):
    buffer = io.BytesIO()
    content = json.dumps(model).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Deployment:
    """Makes models, configurations and endpoints whose names all begin alike."""

    def __init__(self, cloud, name):
        self.cloud, self.name = cloud, name
        self.sagemaker = cloud.client("sagemaker")

    def model(self, version="v1", *, data=None, image=IMAGE, **behaviour):
        uri = f"s3://{self.name}/{version}/model.tar.gz"
        self.cloud.put(uri, archive(name=version, **behaviour) if data is None else data)
        container = {"Image": image, "ModelDataUrl": uri}
        self.sagemaker.create_model(
            ModelName=f"{self.name}-{version}", ExecutionRoleArn=ROLE, PrimaryContainer=container
        )
        return f"{self.name}-{version}"

    def config(self, version="v1", *, variants=None, instances=1, **more):
        name = f"{self.name}-{version}"
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": variant,
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": instances,
                    "InitialVariantWeight": weight,
                }
                for variant, model, weight in variants or [("main", name, 1)]
            ],
            **more,
        )
        return name

    def create(self, version="v1", **more):
        name = f"{self.name}-{version}"
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=name, **more)
        self.cloud.settle()
        return self.describe()

    def update(self, version, **more):
        name = f"{self.name}-{version}"
        self.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=name, **more)
        self.cloud.settle()
        return self.describe()

    def describe(self):
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    def invoke(self, body=b"1,2", **more):
        more = {"ContentType": "text/csv", **more}
        return self.cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=self.name, Body=body, **more)

    def ask(self, body=b"1,2", **more):
        return json.loads(self.invoke(body, **more)["Body"].read())


@pytest.fixture
def deployment(cloud, unique):
    deployment = Deployment(cloud, unique)
    yield deployment
    cloud.settle()
    if unique in {row["EndpointName"] for row in deployment.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]}:
        deployment.sagemaker.delete_endpoint(EndpointName=unique)
        cloud.settle()


@pytest.fixture
def live(deployment):
    deployment.model()
    deployment.config()
    deployment.create()
    return deployment


def captured(cloud, deployment):
    uri = f"s3://{deployment.name}/captured/{deployment.name}/main/"
    keys = cloud.keys(uri)
    lines = [line for key in keys for line in cloud.get(f"s3://{deployment.name}/{key}").splitlines()]
    return keys, [json.loads(line) for line in lines]


def capture_config(deployment, percent=100, **more):
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": f"s3://{deployment.name}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **more,
        }
    }


def test_an_endpoint_serves_its_model(live):
    assert live.describe()["EndpointStatus"] == "InService"
    answer = live.invoke()
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "main"
    assert json.loads(answer["Body"].read())["model"] == "v1"


def test_headers_reach_the_container_and_custom_attributes_come_back(live):
    answer = live.invoke(
        b"{}", ContentType="application/json", Accept="text/csv", CustomAttributes="trace=7", InferenceId="a-1"
    )
    headers = json.loads(answer["Body"].read())["headers"]
    assert (headers["Content-Type"], headers["Accept"]) == ("application/json", "text/csv")
    assert headers["X-Amzn-SageMaker-Inference-Id"] == "a-1"
    assert answer["CustomAttributes"] == "trace=7"


def test_an_endpoint_is_creating_until_its_container_is_healthy(deployment):
    deployment.model()
    deployment.config()
    deployment.sagemaker.create_endpoint(EndpointName=deployment.name, EndpointConfigName=f"{deployment.name}-v1")
    assert deployment.describe()["EndpointStatus"] == "Creating"
    with pytest.raises(ClientError, match=rf"ValidationError.*Endpoint {deployment.name} of account .* not found"):
        deployment.invoke()


def test_a_description_tells_variants_capture_and_deployment_config(deployment):
    deployment.model()
    deployment.config(**capture_config(deployment, percent=50))
    rollout = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
            "TerminationWaitInSeconds": 0,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    answer = deployment.create(DeploymentConfig=rollout)
    assert answer["EndpointConfigName"] == f"{deployment.name}-v1"
    assert answer["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert answer["DataCaptureConfig"]["CurrentSamplingPercentage"] == 50
    assert answer["LastDeploymentConfig"] == rollout


def test_a_model_that_names_a_model_package_is_served(deployment):
    sagemaker = deployment.sagemaker
    deployment.cloud.put(f"s3://{deployment.name}/p/model.tar.gz", archive(name="packaged"))
    package = sagemaker.create_model_package(
        ModelPackageName=deployment.name,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{deployment.name}/p/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.create_model(
        ModelName=f"{deployment.name}-v1", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package}
    )
    deployment.config()
    deployment.create()
    assert deployment.ask()["model"] == "packaged"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"data": b"not an archive"}, "Failed to extract model data archive"),
        ({"healthy": False}, "did not pass the ping health check.*within 1.5 s"),
        ({"image": "acme/pytorch:1"}, "no image 'acme/pytorch:1' can be run here"),
        ({"data": base64.b64decode("H4sIAAAAAAAAAwMAAAAAAAAAAAA=")}, "Failed to extract|exited with code 1"),
    ],
    ids=["no archive", "never healthy", "unknown image", "empty archive"],
)
def test_an_endpoint_that_cannot_serve_fails_with_the_reason(deployment, model, reason):
    deployment.model(**model)
    deployment.config()
    answer = deployment.create()
    assert answer["EndpointStatus"] == "Failed"
    assert re.search(reason, answer["FailureReason"])


def test_an_endpoint_without_its_models_artifact_fails_with_the_reason(deployment):
    deployment.model()
    deployment.cloud.client("s3").delete_object(Bucket=deployment.name, Key="v1/model.tar.gz")
    deployment.config()
    assert "Failed to download model data" in deployment.create()["FailureReason"]


def test_an_endpoint_whose_model_was_deleted_fails_with_the_reason_and_leaves_nothing_running(deployment):
    models = [deployment.model(version) for version in ("v1", "v2")]
    deployment.config(variants=[("a", models[0], 1), ("b", models[1], 1)])
    deployment.sagemaker.delete_model(ModelName=models[1])
    answer = deployment.create()
    assert answer["EndpointStatus"] == "Failed"
    assert "Could not find model" in answer["FailureReason"]
    assert not list((deployment.cloud.local.home / "endpoints" / deployment.name).iterdir())


def test_an_unknown_endpoint_is_refused_as_on_aws(cloud):
    with pytest.raises(ClientError, match=r"\(ValidationError\).*Endpoint nobody of account 123456789012 not found"):
        cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName="nobody", Body=b"")
    with pytest.raises(
        ClientError, match='Could not find endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/nobody"'
    ):
        cloud.client("sagemaker").describe_endpoint(EndpointName="nobody")


def test_asynchronous_invocations_are_refused(live):
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*asynchronous"):
        live.cloud.client("sagemaker-runtime").invoke_endpoint_async(EndpointName=live.name, InputLocation="s3://b/k")


def test_a_serverless_variant_is_refused(deployment):
    model = deployment.model()
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    deployment.sagemaker.create_endpoint_config(
        EndpointConfigName=model,
        ProductionVariants=[{"VariantName": "main", "ModelName": model, "ServerlessConfig": serverless}],
    )
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*ServerlessConfig"):
        deployment.create()


def test_an_endpoint_needs_a_configuration_that_exists(deployment):
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        deployment.create("v9")


def test_an_endpoint_cannot_be_created_twice(live):
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        live.create()


def test_an_error_of_the_container_is_a_model_error_with_what_it_said(live):
    with pytest.raises(ClientError) as caught:
        live.invoke(b"error 400")
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert 'Received client error (400) from primary with message "that is wrong"' in answer["Error"]["Message"]
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "that is wrong")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_a_body_above_six_mebibytes_is_refused(live):
    assert live.ask(b"x" * 6_291_456)["body"] == 6_291_456
    with pytest.raises(ClientError, match=r"\(413\).*exceeded 6291456 bytes"):
        live.invoke(b"x" * 7_000_000)


def test_a_killed_serving_process_is_replaced_and_the_next_request_answered(live):
    before = live.ask()["pid"]
    os.kill(before, signal.SIGKILL)
    assert live.ask()["pid"] != before


def test_a_container_that_dies_of_a_request_twice_is_a_model_error_and_serves_the_next(live):
    with pytest.raises(ClientError, match="no answer from the container"):
        live.cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=live.name, Body=b"crash")
    assert live.ask()["model"] == "v1"


def test_many_requests_at_once_survive_the_death_of_their_process(live):
    pid = live.ask()["pid"]
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(live.ask) for _ in range(200)]
        os.kill(pid, signal.SIGKILL)
        assert {answer.result()["model"] for answer in answers} == {"v1"}


def test_an_update_under_load_drops_no_request(live):
    live.model("v2")
    live.config("v2")
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            answers.append(live.ask()["model"])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    live.update("v2")
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert live.describe()["EndpointConfigName"].endswith("-v2")
    assert len(answers) > 50
    assert set(answers) == {"v1", "v2"}
    assert answers[-1] == "v2"


def test_a_request_under_way_is_finished_by_the_fleet_that_took_it(live):
    live.model("v2")
    live.config("v2")
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(live.ask, b"slow") for _ in range(3)]
        time.sleep(0.3)
        live.update("v2")
        assert live.ask()["model"] == "v2"
        assert {answer.result()["model"] for answer in slow} == {"v1"}


def test_an_update_that_never_becomes_healthy_leaves_the_old_fleet_serving(live):
    live.model("v2", healthy=False)
    live.config("v2")
    answer = live.update("v2")
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", f"{live.name}-v1")
    assert "did not pass the ping health check" in answer["FailureReason"]
    assert live.ask()["model"] == "v1"


def test_an_endpoint_in_the_middle_of_an_update_takes_no_other(live):
    live.model("v2")
    live.config("v2")
    live.sagemaker.update_endpoint(EndpointName=live.name, EndpointConfigName=f"{live.name}-v2")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()


def test_a_deleted_endpoint_leaves_no_process_and_no_folder(live):
    pid = live.ask()["pid"]
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not list((live.cloud.local.home / "endpoints" / live.name).iterdir())
    with pytest.raises(ClientError, match="not found"):
        live.invoke()


def test_capacities_start_and_stop_processes_up_to_two(live):
    change = live.sagemaker.update_endpoint_weights_and_capacities
    for instances, processes in ((3, 2), (1, 1)):
        change(
            EndpointName=live.name,
            DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": instances}],
        )
        live.cloud.settle()
        assert live.describe()["ProductionVariants"][0]["CurrentInstanceCount"] == instances
        assert len({live.ask()["pid"] for _ in range(6)}) == processes


def test_variants_share_requests_in_proportion_to_their_weights(deployment):
    models = [deployment.model(version) for version in ("v1", "v2")]
    deployment.config(variants=[("a", models[0], 3), ("b", models[1], 1)])
    deployment.create()
    answers = [deployment.invoke()["InvokedProductionVariant"] for _ in range(8)]
    assert (answers.count("a"), answers.count("b")) == (6, 2)
    assert deployment.ask(TargetVariant="b")["model"] == "v2"
    with pytest.raises(ClientError, match="Variant c not found"):
        deployment.ask(TargetVariant="c")


def test_a_serving_processs_output_is_in_cloudwatch_logs(live):
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()
    assert live.cloud.log(f"/aws/sagemaker/Endpoints/{live.name}", "main/i-") == ["serving"]


@pytest.mark.parametrize(
    "rollout",
    [
        {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 60}}},
        {
            "RollingUpdatePolicy": {
                "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                "WaitIntervalInSeconds": 1,
            }
        },
    ],
    ids=["canary", "rolling"],
)
def test_a_rollout_that_cannot_be_followed_is_refused(deployment, rollout):
    deployment.model()
    deployment.config()
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        deployment.create(DeploymentConfig=rollout)


def test_captured_invocations_are_in_s3_in_awss_format_and_place(deployment):
    deployment.model()
    deployment.config(**capture_config(deployment))
    deployment.create()
    deployment.invoke(b"1,2\n3,4", InferenceId="flight-7")
    with pytest.raises(ClientError):
        deployment.invoke(b"error 400")
    deployment.cloud.settle()
    (key,), (record,) = captured(deployment.cloud, deployment)
    now = deployment.cloud.local.clock.now()
    assert f"/{deployment.name}/main/{now:%Y/%m/%d/%H}/" in key
    assert key.endswith(".jsonl")
    asked = record["captureData"]["endpointInput"]
    assert asked == {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n3,4", "encoding": "CSV"}
    assert record["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert record["eventMetadata"]["inferenceId"] == "flight-7"
    assert record["eventMetadata"]["inferenceTime"].startswith(f"{now:%Y-%m-%dT}")
    assert record["eventVersion"] == "0"


def test_what_is_no_declared_text_is_captured_in_base64(deployment):
    deployment.model()
    deployment.config(**capture_config(deployment))
    deployment.create()
    deployment.invoke(b"\xff\x00", ContentType="application/x-image")
    deployment.invoke(b"\xff,1", ContentType="text/csv")
    deployment.cloud.settle()
    _, records = captured(deployment.cloud, deployment)
    inputs = [record["captureData"]["endpointInput"] for record in records]
    assert [i["encoding"] for i in inputs] == ["BASE64", "BASE64"]
    assert base64.b64decode(inputs[0]["data"]) == b"\xff\x00"


def test_nothing_captured_is_lost_when_the_endpoint_is_updated_or_deleted(deployment):
    deployment.model()
    deployment.model("v2")
    for version in ("v1", "v2"):
        deployment.config(version, **capture_config(deployment))
    deployment.create()
    for _ in range(5):
        deployment.invoke()
    deployment.update("v2")
    for _ in range(5):
        deployment.invoke()
    deployment.sagemaker.delete_endpoint(EndpointName=deployment.name)
    deployment.cloud.settle()
    assert len(captured(deployment.cloud, deployment)[1]) == 10


@given(percent=st.integers(0, 100), requests=st.integers(1, 400))
def test_the_sample_is_exact_for_any_number_of_requests(percent, requests):
    class Quiet:
        clock = Clock()

    config = {"DestinationS3Uri": "s3://b/c", "InitialSamplingPercentage": percent, "CaptureOptions": []}
    capture = Capture(Quiet(), "endpoint", config)
    message = Message("text/csv", b"1")
    for _ in range(requests):
        capture.note("main", message, message, None)
    lines = sum(len(batch.lines) for batch in capture._batches.values())
    assert lines == requests * percent // 100


def test_a_minute_of_invocations_is_published_when_it_is_over(live):
    clock = live.cloud.local.clock
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


def test_endpoint_state_changes_are_events(deployment):
    events = []
    deployment.cloud.local.subscribe(events.append)
    deployment.model()
    deployment.config()
    deployment.create()
    ours = [event["detail"] for event in events if event["detail-type"] == "SageMaker Endpoint State Change"]
    ours = [detail["EndpointStatus"] for detail in ours if detail["EndpointName"] == deployment.name]
    assert ours == ["CREATING", "IN_SERVICE"]


def test_an_endpoint_is_tagged_and_listed(deployment):
    deployment.model()
    deployment.config()
    arn = deployment.create(Tags=[{"Key": "team", "Value": "ops"}])["EndpointArn"]
    assert deployment.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ops"}]
    rows = deployment.sagemaker.list_endpoints(NameContains=deployment.name, StatusEquals="InService")["Endpoints"]
    assert [row["EndpointName"] for row in rows] == [deployment.name]
