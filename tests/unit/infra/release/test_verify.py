"""Each way in which what is live can differ from what is declared, against answers that AWS's models allow."""

import re
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.config import load_environment
from infra.release import verify as module
from infra.release.intended import Intended, intended
from infra.release.verify import differences

NOW = datetime(2013, 4, 1, tzinfo=UTC)
DECLARED = Intended(
    endpoint="acme-churn",
    configuration="acme-churn-aaaaaaaaaa",
    image="registry/serving:1",
    model_data_url="s3://registry/run-2/model.tar.gz",
    instance_type="ml.m5.large",
    minimum=1,
    maximum=3,
    capture_percent=100,
    alarms=("acme-churn-errors", "acme-churn-latency"),
)
GONE = object()


@pytest.fixture
def environment(new_project):
    return load_environment("local", new_project().root)


@pytest.fixture
def live(monkeypatch):
    """What AWS answers: as declared, but for what a test says. GONE is a thing that does not exist."""

    def answers(*, endpoint=None, configuration=None, variant=None, model=None, alarms=DECLARED.alarms):
        sagemaker, cloudwatch = (boto3.client(name, region_name="us-east-1") for name in ("sagemaker", "cloudwatch"))
        stub = Stubber(sagemaker)
        described = endpoint_answer(endpoint)
        add(stub, "describe_endpoint", described)
        if described is not GONE:
            config = configuration_answer(described["EndpointConfigName"], configuration, variant)
            add(stub, "describe_endpoint_config", config)
            if config is not GONE:
                add(stub, "describe_model", model_answer(model))
        stub.activate()
        watched = Stubber(cloudwatch)
        watched.add_response("describe_alarms", {"MetricAlarms": [{"AlarmName": name} for name in alarms]})
        watched.activate()
        clients = {"sagemaker": sagemaker, "cloudwatch": cloudwatch}
        monkeypatch.setattr(module, "client", lambda _, service: clients[service])

    return answers


def add(stub, operation, answer):
    if answer is GONE:
        stub.add_client_error(operation, "ValidationException", "Could not find it.", 400)
    else:
        stub.add_response(operation, answer)


def endpoint_answer(changes):
    if changes is GONE:
        return GONE
    answer = {
        "EndpointName": "acme-churn",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/acme-churn",
        "EndpointConfigName": "acme-churn-aaaaaaaaaa",
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 2}],
        "EndpointStatus": "InService",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    } | (changes or {})
    return {name: value for name, value in answer.items() if value is not None}


def configuration_answer(name, changes, variant):
    if changes is GONE:
        return GONE
    main = {"VariantName": "main", "ModelName": "acme-churn-bbbbbbbbbb", "InstanceType": "ml.m5.large"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://capture/churn",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    answer = {
        "EndpointConfigName": name,
        "EndpointConfigArn": f"arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/{name}",
        "ProductionVariants": [main | (variant or {})],
        "DataCaptureConfig": capture,
        "CreationTime": NOW,
    } | (changes or {})
    return {name: value for name, value in answer.items() if value is not None}


def model_answer(changes):
    if changes is GONE:
        return GONE
    container = {"Image": "registry/serving:1", "ModelDataUrl": "s3://registry/run-2/model.tar.gz"}
    return {
        "ModelName": "acme-churn-bbbbbbbbbb",
        "ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/acme-churn-bbbbbbbbbb",
        "PrimaryContainer": container | (changes or {}),
        "CreationTime": NOW,
    }


def test_what_is_as_declared_has_no_differences(environment, live):
    live()
    assert differences(environment, DECLARED) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"endpoint": GONE}, ("endpoint", "acme-churn", "does not exist")),
        ({"endpoint": {"EndpointStatus": "Updating"}}, ("status", "InService", "Updating")),
        ({"endpoint": {"FailureReason": "rolled back"}}, ("failure", "none", "rolled back")),
        (
            {"endpoint": {"EndpointConfigName": "acme-churn-0ld"}},
            ("endpoint configuration", "acme-churn-aaaaaaaaaa", "acme-churn-0ld"),
        ),
        (
            {"configuration": GONE},
            (
                "endpoint configuration",
                "acme-churn-aaaaaaaaaa",
                "acme-churn-aaaaaaaaaa, which does not exist any more",
            ),
        ),
        (
            {"model": GONE},
            ("model", DECLARED.model_data_url, "acme-churn-bbbbbbbbbb, which does not exist any more"),
        ),
        ({"model": {"Image": "registry/serving:0"}}, ("image", "registry/serving:1", "registry/serving:0")),
        ({"model": {"ModelDataUrl": "s3://old"}}, ("model data", DECLARED.model_data_url, "s3://old")),
        ({"variant": {"InstanceType": "ml.c5.large"}}, ("instance type", "ml.m5.large", "ml.c5.large")),
        ({"configuration": {"DataCaptureConfig": None}}, ("capture percent", 100, 0)),
        ({"alarms": ("acme-churn-errors",)}, ("alarms", DECLARED.alarms, ("acme-churn-errors",))),
        (
            {"endpoint": {"ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 4}]}},
            ("instances", "1 to 3", 4),
        ),
        (
            {"endpoint": {"ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 0}]}},
            ("instances", "1 to 3", 0),
        ),
    ],
)
def test_each_difference_is_told_with_what_is_declared_and_what_is_live(environment, live, change, difference):
    live(**change)
    assert differences(environment, DECLARED) == [difference]


def test_capture_that_is_switched_off_is_a_difference_though_its_percentage_stays(environment, live):
    capture = {
        "EnableCapture": False,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://capture/churn",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    live(configuration={"DataCaptureConfig": capture})
    assert differences(environment, DECLARED) == [("capture percent", 100, 0)]


def test_an_endpoint_that_never_came_into_service_is_told_without_a_traceback(environment, live):
    live(endpoint={"EndpointStatus": "Failed", "FailureReason": "no answer to /ping", "ProductionVariants": None})
    assert differences(environment, DECLARED) == [
        ("status", "InService", "Failed"),
        ("failure", "none", "no answer to /ping"),
    ]


def test_several_differences_are_told_at_once(environment, live):
    live(endpoint={"EndpointStatus": "Updating"}, model={"Image": "registry/serving:0"}, alarms=())
    assert [what for what, _, _ in differences(environment, DECLARED)] == ["status", "image", "alarms"]


def test_a_refusal_of_aws_is_no_answer(environment, monkeypatch):
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    with Stubber(sagemaker) as stub:
        stub.add_client_error("describe_endpoint", "AccessDeniedException", "not authorized", 403)
        monkeypatch.setattr(module, "client", lambda *_: sagemaker)
        with pytest.raises(ClientError, match="not authorized"):
            differences(environment, DECLARED)


def test_what_is_declared_is_read_from_what_is_synthesized(new_project, new_release, monkeypatch):
    project = new_project()
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    assert intended("local", "flight-delay") is None
    project.lock("flight-delay", new_release(2), new_release(1))
    overlay = "environments: {local: {endpoint: {capture: {percent: 40}, scaling: {min: 2, max: 5}}}}\n"
    path = project.root / "models/flight-delay.yaml"
    path.write_text(path.read_text() + overlay)
    found = intended("local", "flight-delay")
    assert (found.image, found.model_data_url) == (new_release(2)["image"], new_release(2)["model_data_url"])
    assert (found.minimum, found.maximum, found.capture_percent) == (2, 5, 40)
    assert found.endpoint == "sagestack-local-flight-delay"
    assert re.fullmatch(r"sagestack-local-flight-delay-[0-9a-f]{10}", found.configuration)
    assert {name.removeprefix(found.endpoint) for name in found.alarms} >= {"-errors", "-latency", "-drift-features"}


def test_a_fleet_that_is_not_scaled_is_meant_to_have_its_one_size(new_project, new_release, monkeypatch):
    project = new_project()
    project.model(
        "churn",
        "endpoint: {scaling: {min: 3, max: 3}, capture: {percent: 0}}\nmonitoring: {drift: null}\n"
        "retraining: {on_drift: false}\n",
    )
    project.lock("churn", new_release(1))
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    found = intended("local", "churn")
    assert (found.minimum, found.maximum, found.capture_percent) == (3, 3, 0)
