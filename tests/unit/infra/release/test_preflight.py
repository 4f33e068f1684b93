"""What keeps a deploy from beginning, against answers that AWS's models allow."""

from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from infra.config import Release, ReleaseLock, load_environment
from infra.release import image as images
from infra.release import preflight as module
from infra.release import raised as raising
from infra.release import receipts as receiving
from infra.release.intended import Intended
from infra.release.preflight import obstacles

NOW = datetime(2013, 4, 1, tzinfo=UTC)
DECLARED = Intended(
    endpoint="acme-churn",
    configuration="acme-churn-new",
    declared=("acme-churn-new", "acme-churn-old"),
    variants=(),
    scaling=(),
    capture_percent=0,
    alarms=(),
    rollback_alarms=("acme-churn-errors", "acme-churn-latency"),
    plan="",
)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/2"


@pytest.fixture
def looked(monkeypatch, new_project, new_release):
    """What a look before a deploy finds: nothing wrong but what a test says; None is a thing that does not exist."""
    environment = load_environment("local", new_project().root)

    def look(
        *,
        approval="Approved",
        stored=True,
        pushed=True,
        live="acme-churn-old",
        status="InService",
        receipts=(),
        raised=(),
        **changes,
    ):
        clients = {
            name: boto3.client(name, region_name="us-east-1") for name in ("sagemaker", "s3", "ecr", "cloudwatch")
        }
        sagemaker, s3, ecr, cloudwatch = (Stubber(one) for one in clients.values())
        asked = {"AlarmNames": list(DECLARED.rollback_alarms), "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        cloudwatch.add_response("describe_alarms", alarms(raised), asked)
        if approval is None:
            gone = f"ModelPackage {ARN} does not exist."
            sagemaker.add_client_error("describe_model_package", "ValidationException", gone)
        else:
            sagemaker.add_response("describe_model_package", package(approval))
        if live is None:
            sagemaker.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
        else:
            sagemaker.add_response("describe_endpoint", endpoint(live, status))
        if stored:
            s3.add_response("head_object", {})
        else:
            s3.add_client_error("head_object", "404", "Not Found", 404)
        if pushed:
            ecr.add_response("describe_images", {"imageDetails": [{"imageDigest": "sha256:1"}]})
        else:
            ecr.add_client_error("describe_images", "ImageNotFoundException", "does not exist")
        for stub in (sagemaker, s3, ecr, cloudwatch):
            stub.activate()
        monkeypatch.setattr(module.Receipts, "newest_first", lambda _: iter(map(receipt, receipts)))
        for one in (module, images, receiving, raising):
            monkeypatch.setattr(one, "client", lambda _, service: clients[service])
        release = Release.model_validate(new_release(2, model_package_arn=ARN, **changes), strict=False)
        return list(obstacles(environment, DECLARED, ReleaseLock(model="churn", current=release)))

    return look


def receipt(deployed):
    version, configuration = deployed
    return SimpleNamespace(after=SimpleNamespace(version=version, configuration=configuration))


def alarms(raised):
    def state(name):
        return {"AlarmName": name, "StateValue": "ALARM" if name in raised else "OK", "StateUpdatedTimestamp": NOW}

    return {"MetricAlarms": [state(name) for name in DECLARED.rollback_alarms], "CompositeAlarms": []}


def package(approval):
    return {
        "ModelPackageName": "churn",
        "ModelPackageArn": ARN,
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": approval,
    }


def endpoint(live, status):
    return {
        "EndpointName": "acme-churn",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/acme-churn",
        "EndpointConfigName": live,
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }


def test_a_deploy_may_begin_when_all_is_there(looked):
    assert looked() == []
    assert looked(live=None) == []
    assert looked(live="acme-churn-new") == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"approval": None}, f"churn version 2 ({ARN}) does not exist: promote another: sagestack models churn"),
        ({"approval": "Rejected"}, f"churn version 2 ({ARN}) is Rejected: promote another"),
        ({"stored": False}, "/model.tar.gz does not exist: promote another"),
        ({"pushed": False}, "serving:0123456789abcdef does not exist in ECR: push it"),
        ({"image": "docker.io/serving:1"}, "docker.io/serving:1 does not exist in ECR"),
        ({"status": "Updating"}, "the endpoint acme-churn is Updating: wait until it is in service"),
        ({"live": "acme-churn-by-hand"}, "acme-churn-by-hand, which is live, is not declared"),
    ],
)
def test_each_obstacle_is_told_with_the_way_out(looked, state, told):
    (obstacle,) = looked(**state)
    assert told in obstacle


def test_what_is_live_after_later_releases_were_taken_back_is_to_be_promoted_before_the_next(looked):
    (obstacle,) = looked(live="acme-churn-1", receipts=[(2, "acme-churn-2"), (1, "acme-churn-1")])
    assert "acme-churn-1, which is live, is not declared" in obstacle
    assert "It is version 1; what was promoted since was taken back: sagestack promote churn 1 --env local" in obstacle


def test_a_change_of_settings_upon_one_that_is_not_kept_is_undone_first(looked):
    (obstacle,) = looked(live="acme-churn-kept", receipts=[(2, "acme-churn-new"), (2, "acme-churn-kept")])
    assert "undo the last change of endpoint settings, sagestack promote churn 2 --env local" in obstacle


def test_a_raised_rollback_alarm_would_take_the_update_back_and_is_told_with_two_ways_out(looked):
    (obstacle,) = looked(raised=["acme-churn-latency"])
    assert obstacle == (
        "raised already: acme-churn-latency (since 2013-04-01 00:00 UTC), so SageMaker would take this update back: "
        "wait until it is over, or, if this release is what mends it, "
        "sagestack promote churn 2 --env local --despite-alarms"
    )


def test_a_raised_alarm_is_no_obstacle_where_nothing_would_be_updated(looked):
    assert looked(raised=["acme-churn-latency"], live="acme-churn-new") == []
    assert looked(raised=["acme-churn-latency"], live=None) == []


def test_obstacles_are_told_all_at_once(looked):
    assert len(looked(approval="Rejected", stored=False, pushed=False, live="by-hand")) == 4
