"""Each way in which a scheduled batch transform can differ from what is declared, against a cloud's own answers."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from infra.config import Release, load_environment
from infra.release import verify_batch as module
from infra.release.intended import intended
from infra.release.intended_batch import IntendedBatch
from infra.release.verify_batch import batch_differences

NOW = datetime(2013, 4, 1, tzinfo=UTC)
SETTINGS = (
    "endpoint: {kind: batch-transform}\nmonitoring: {drift: null}\nretraining: {on_drift: false, schedule: monthly}\n"
)
GONE = object()


@pytest.fixture
def project(new_project, new_release, monkeypatch):
    project = new_project()
    project.model("churn", SETTINGS)
    project.lock("churn", new_release(2))
    monkeypatch.setenv("SAGESTACK_ROOT", str(project.root))
    return project


@pytest.fixture
def declared(project):
    assert project.root.is_dir()
    return intended("local", "churn")


@pytest.fixture
def compared(monkeypatch, project, declared, new_release):
    """What differs, in lines, between what is declared and what AWS answers: the same but for what a test says."""

    def compare(*, schedule=None, request=None, model=None, approval="Approved", rule="ENABLED"):
        clients = {name: boto3.client(name, region_name="us-east-1") for name in ("scheduler", "sagemaker", "events")}
        stubs = {name: Stubber(one) for name, one in clients.items()}
        if schedule is GONE:
            stubs["scheduler"].add_client_error("get_schedule", "ResourceNotFoundException", "x does not exist.")
        else:
            sent = nested(declared.request) | (request or {})
            stubs["scheduler"].add_response("get_schedule", scheduled(declared, sent) | (schedule or {}))
        answer(stubs["sagemaker"], "describe_model", model if model is GONE else described(declared, model))
        answer(stubs["sagemaker"], "describe_model_package", package(approval))
        answer(stubs["events"], "describe_rule", rule if rule is GONE else {"Name": declared.rule, "State": rule})
        for stub in stubs.values():
            stub.activate()
        monkeypatch.setattr(module, "client", lambda _, service: clients[service])
        release = Release.model_validate(new_release(2), strict=False)
        found = batch_differences(load_environment("local", project.root), declared, release)
        return [(what, live) for what, _, live in found]

    return compare


def answer(stub, operation, given):
    if given is GONE:
        stub.add_client_error(operation, "ValidationException", "Could not find it.")
    else:
        stub.add_response(operation, given)


def nested(leaves):
    """A request of its leaves."""
    request = {}
    for path, value in leaves.items():
        *above, name = path.split(".")
        place = request
        for one in above:
            place = place.setdefault(one, {})
        place[name] = value
    return request


def scheduled(declared, request):
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob", "RoleArn": "r", "Input": "x"}
    return {
        "Name": declared.schedule,
        "State": "ENABLED",
        "ScheduleExpression": declared.expression,
        "Target": target | {"Input": json.dumps(request)},
    }


def described(declared, changes):
    container = {"Image": declared.image, "ModelDataUrl": declared.model_data} | (changes or {})
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/churn"
    return {
        "ModelName": declared.configuration,
        "ModelArn": arn,
        "PrimaryContainer": container,
        "CreationTime": NOW,
    }


def package(approval):
    return {
        "ModelPackageName": "churn",
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2",
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": approval,
    }


def test_what_is_declared_of_a_batch_transform_is_read_from_its_stack(declared, new_release):
    assert isinstance(declared, IntendedBatch)
    assert (declared.schedule, declared.rule) == ("sagestack-local-churn-batch", "sagestack-local-churn-failed")
    assert declared.request["ModelName"] == declared.configuration
    assert declared.request["TransformInput.ContentType"] == "text/csv"
    assert (declared.image, declared.model_data) == (new_release(2)["image"], new_release(2)["model_data_url"])


def test_what_terraform_alone_knows_is_not_compared(declared):
    assert not [name for name in declared.request if "Kms" in name]


def test_what_is_as_declared_differs_in_nothing(compared):
    assert compared() == []


@pytest.mark.parametrize(
    ("live", "difference"),
    [
        ({"schedule": GONE}, ("schedule", "does not exist")),
        ({"schedule": {"State": "DISABLED"}}, ("schedule", "DISABLED")),
        ({"schedule": {"ScheduleExpression": "rate(1 day)"}}, ("schedule expression", "rate(1 day)")),
        ({"request": {"MaxPayloadInMB": 7}}, ("request's MaxPayloadInMB", 7)),
        ({"request": {"BatchStrategy": None}}, ("request's BatchStrategy", None)),
        ({"model": {"Image": "other:1"}}, ("image", "other:1")),
        ({"model": {"ModelDataUrl": "s3://other"}}, ("model data", "s3://other")),
        ({"approval": "Rejected"}, ("model package", "Rejected")),
        ({"rule": "DISABLED"}, ("rule of failed jobs", "DISABLED")),
        ({"rule": GONE}, ("rule of failed jobs", "does not exist")),
    ],
)
def test_each_difference_is_found(compared, live, difference):
    assert compared(**live) == [difference]


def test_a_model_that_somebody_deleted_is_told(compared, declared):
    assert compared(model=GONE) == [("model", f"{declared.configuration}, which does not exist any more")]


def test_a_request_that_names_another_model_is_told(compared):
    assert compared(request={"ModelName": "by-hand"}) == [("request's ModelName", "by-hand")]
