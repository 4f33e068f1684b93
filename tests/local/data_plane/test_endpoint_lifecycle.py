import base64
import json
import os
import re

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-test/server:1"
EXPLAINER = {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}}


def test_an_endpoint_serves_its_model(live):
    assert live.describe()["EndpointStatus"] == "InService"
    answer = live.invoke()
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "main"
    assert json.loads(answer["Body"].read())["model"] == "v1"


def test_an_endpoint_is_creating_until_its_container_is_healthy(deployment):
    deployment.model()
    deployment.config()
    deployment.sagemaker.create_endpoint(EndpointName=deployment.name, EndpointConfigName=f"{deployment.name}-v1")
    assert deployment.describe()["EndpointStatus"] == "Creating"
    with pytest.raises(ClientError, match=rf"ValidationError.*Endpoint {deployment.name} of account .* not found"):
        deployment.invoke()


def test_a_description_tells_variants_capture_and_deployment_config(deployment):
    deployment.model()
    deployment.config(**deployment.capturing(50))
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
    uri = deployment.artifact("packaged")
    package = sagemaker.create_model_package(
        ModelPackageName=deployment.name,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": uri}],
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
    assert not list((deployment.cloud.home / "endpoints" / deployment.name).iterdir())


def test_an_unknown_endpoint_is_refused_as_on_aws(cloud):
    with pytest.raises(ClientError, match=r"\(ValidationError\).*Endpoint nobody of account 123456789012 not found"):
        cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName="nobody", Body=b"")
    with pytest.raises(
        ClientError, match='Could not find endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/nobody"'
    ):
        cloud.client("sagemaker").describe_endpoint(EndpointName="nobody")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}}},
            "ExplainerConfig",
        ),
        ({"ManagedInstanceScaling": {"Status": "ENABLED"}}, "ManagedInstanceScaling of variant main"),
        ({"RoutingConfig": {"RoutingStrategy": "RANDOM"}}, "RoutingConfig of variant main"),
    ],
)
def test_what_would_not_be_served_as_it_says_is_refused(deployment, more, message):
    variant = deployment.variant("main", deployment.model())
    of_config = {name: value for name, value in more.items() if name == "ExplainerConfig"}
    of_variant = {name: value for name, value in more.items() if name not in of_config}
    name = f"{deployment.name}-v1"
    deployment.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant | of_variant], **of_config
    )
    with pytest.raises(ClientError, match=f"UnsupportedOperation.*{message}"):
        deployment.create()


def test_an_endpoint_needs_a_configuration_that_exists(deployment):
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        deployment.create("v9")


def test_an_endpoint_cannot_be_created_twice(live):
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        live.create()


def test_a_deleted_endpoint_leaves_no_process_and_no_folder(live):
    pid = live.ask()["pid"]
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not list((live.cloud.home / "endpoints" / live.name).iterdir())
    with pytest.raises(ClientError, match="not found"):
        live.invoke()


def test_a_serving_processs_output_is_in_cloudwatch_logs(live):
    live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()
    assert live.cloud.log(f"/aws/sagemaker/Endpoints/{live.name}", "main/i-") == ["serving"]


def test_endpoint_state_changes_are_events(deployment, listen):
    queue = listen({"source": ["aws.sagemaker"], "detail": {"EndpointName": [deployment.name]}})
    deployment.model()
    deployment.config()
    deployment.create()
    events = sorted(queue.read(), key=lambda event: event["detail"]["LastModifiedTime"])
    assert {event["detail-type"] for event in events} == {"SageMaker Endpoint State Change"}
    assert [event["detail"]["EndpointStatus"] for event in events] == ["CREATING", "IN_SERVICE"]


def test_an_endpoint_is_tagged_and_listed(deployment):
    deployment.model()
    deployment.config()
    arn = deployment.create(Tags=[{"Key": "team", "Value": "ops"}])["EndpointArn"]
    assert deployment.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ops"}]
    rows = deployment.sagemaker.list_endpoints(NameContains=deployment.name, StatusEquals="InService")["Endpoints"]
    assert [row["EndpointName"] for row in rows] == [deployment.name]
