"""Each way in which what is live can differ from what is declared, against answers that AWS's models allow."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.config import Release, load_environment
from infra.release import image as images
from infra.release import verify as module
from infra.release.verify import differences
from tests.unit.infra.release.answers import (
    DATA,
    DECLARED,
    GONE,
    IMAGE,
    NAMES,
    alarm_answers,
    configuration_answer,
    deployed,
    endpoint_answer,
    model_answer,
    package_answer,
    target_answer,
)


@pytest.fixture
def environment(new_project):
    return load_environment("local", new_project().root)


@pytest.fixture
def release(new_release):
    return Release.model_validate(new_release(2), strict=False)


@pytest.fixture
def compared(environment, release):
    """What differs between DECLARED and what AWS answers."""
    return lambda: differences(environment, DECLARED, release)


@pytest.fixture
def live(monkeypatch):
    """What AWS answers: as declared, but for what a test says. GONE is a thing that does not exist."""

    def answers(
        *, endpoint=None, configuration=None, variant=None, model=None, package=None, alarms=None, target=None, ecr=None
    ):
        services = ("sagemaker", "cloudwatch", "application-autoscaling", "ecr")
        clients = {name: boto3.client(name, region_name="us-east-1") for name in services}
        stubs = {name: Stubber(one) for name, one in clients.items()}
        described = endpoint_answer(endpoint)
        add(stubs["sagemaker"], "describe_endpoint", described)
        if described is not GONE:
            config = configuration_answer(described["EndpointConfigName"], configuration, variant)
            add(stubs["sagemaker"], "describe_endpoint_config", config)
            if config is not GONE:
                add(stubs["sagemaker"], "describe_model", model_answer(model))
            add(stubs["sagemaker"], "describe_model_package", package_answer(package))
        add(stubs["cloudwatch"], "describe_alarms", {"MetricAlarms": alarm_answers(alarms)})
        targets = [] if target is GONE else [target_answer(target)]
        add(stubs["application-autoscaling"], "describe_scalable_targets", {"ScalableTargets": targets})
        add(stubs["ecr"], "describe_images", {"imageDetails": [{"imageDigest": ecr or "sha256:1"}]})
        for stub in stubs.values():
            stub.activate()
        for one in (module, images):
            monkeypatch.setattr(one, "client", lambda _, service: clients[service])

    return answers


def add(stub, operation, answer):
    if answer is GONE:
        stub.add_client_error(operation, "ValidationException", "Could not find it.", 400)
    else:
        stub.add_response(operation, answer)


def test_what_is_as_declared_has_no_differences(live, compared):
    live()
    assert compared() == []
    live(endpoint=deployed(f"{IMAGE.partition(':')[0]}@sha256:1"))
    assert compared() == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"endpoint": GONE}, ("endpoint", "acme-churn", "does not exist")),
        ({"endpoint": {"EndpointStatus": "Updating"}}, ("status", "InService", "Updating")),
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
            ("model", DATA, "acme-churn-bbbbbbbbbb, which does not exist any more"),
        ),
        ({"model": {"Image": "registry/serving:0"}}, ("image", IMAGE, "registry/serving:0")),
        ({"model": {"ModelDataUrl": "s3://old"}}, ("model data", DATA, "s3://old")),
        ({"endpoint": deployed(f"{IMAGE}@sha256:0")}, (f"digest of {IMAGE}", "sha256:1", "sha256:0")),
        ({"package": {"ModelApprovalStatus": "Rejected"}}, ("model package", "Approved", "Rejected")),
        ({"package": GONE}, ("model package", "Approved", "does not exist")),
        ({"endpoint": {"LastDeploymentConfig": {}}}, ("rollback alarms", ("acme-churn-errors",), ())),
        ({"target": GONE}, ("scaling", "registered", "not registered")),
        (
            {
                "target": {
                    "SuspendedState": {
                        "DynamicScalingInSuspended": False,
                        "DynamicScalingOutSuspended": True,
                        "ScheduledScalingSuspended": False,
                    }
                }
            },
            ("scaling", "registered", "suspended"),
        ),
        ({"variant": {"InitialVariantWeight": 0.5}}, ("weight", 1, 0.5)),
        (
            {"alarms": {"Threshold": 0.5}},
            (
                "acme-churn-errors",
                "Invocation5XXErrors GreaterThanThreshold 0.01",
                "Invocation5XXErrors GreaterThanThreshold 0.5",
            ),
        ),
        ({"alarms": {"ActionsEnabled": False}}, ("actions of acme-churn-errors", "enabled", "disabled")),
        ({"variant": {"InstanceType": "ml.c5.large"}}, ("instance type", "ml.m5.large", "ml.c5.large")),
        ({"configuration": {"DataCaptureConfig": None}}, ("capture percent", 100, 0)),
        ({"alarms": GONE}, ("alarms", NAMES, NAMES[:1])),
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
def test_each_difference_is_told_with_what_is_declared_and_what_is_live(live, compared, change, difference):
    live(**change)
    assert compared() == [difference]


def test_a_variant_that_somebody_added_is_a_difference(live, compared):
    main, extra = ({"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large"} for name in ("main", "extra"))
    live(configuration={"ProductionVariants": [main, extra]})
    assert compared() == [("variants", ("main",), ("extra", "main"))]


def test_why_an_earlier_update_failed_is_no_difference_once_what_is_declared_is_live(live, compared):
    live(endpoint={"FailureReason": "rolled back"})
    assert compared() == []
    live(endpoint={"FailureReason": "rolled back", "EndpointConfigName": "acme-churn-0ld"})
    assert ("failure", "none", "rolled back") in compared()


def test_capture_that_is_switched_off_is_a_difference_though_its_percentage_stays(live, compared):
    capture = {
        "EnableCapture": False,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://capture/churn",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    live(configuration={"DataCaptureConfig": capture})
    assert compared() == [("capture percent", 100, 0)]


def test_an_endpoint_that_never_came_into_service_is_told_without_a_traceback(live, compared):
    live(endpoint={"EndpointStatus": "Failed", "FailureReason": "no answer to /ping", "ProductionVariants": None})
    assert compared() == [
        ("status", "InService", "Failed"),
        ("failure", "none", "no answer to /ping"),
    ]


def test_several_differences_are_told_at_once(live, compared):
    live(endpoint={"EndpointStatus": "Updating"}, model={"Image": "registry/serving:0"}, alarms=GONE)
    assert [what for what, _, _ in compared()] == ["status", "image", "alarms"]


def test_a_refusal_of_aws_is_no_answer(compared, monkeypatch):
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    with Stubber(sagemaker) as stub:
        stub.add_client_error("describe_endpoint", "AccessDeniedException", "not authorized", 403)
        monkeypatch.setattr(module, "client", lambda *_: sagemaker)
        with pytest.raises(ClientError, match="not authorized"):
            compared()


def test_a_model_package_stands_for_its_image():
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/sagestack-local-churn/7"
    assert module._image({"ModelPackageName": package}) == package
