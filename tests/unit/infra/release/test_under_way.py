"""Waiting for the end of an update, by the answers of DescribeEndpoint that AWS's models allow."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from infra.config import load_environment
from infra.errors import CheckFailed
from infra.release import under_way as module
from infra.release.under_way import LOOK_SECONDS, MOST_SECONDS, TELL_SECONDS, await_rest

NOW = datetime(2013, 4, 1, tzinfo=UTC)


def described(status):
    return {
        "EndpointName": "acme-churn",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/acme-churn",
        "EndpointConfigName": "acme-churn-old",
        "EndpointStatus": status,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }


@pytest.fixture
def waited(monkeypatch, new_project):
    """What is said until an endpoint that has these statuses one after the other rests, and how many seconds it took.

    None is an endpoint that does not exist; every answer must have been asked for.
    """
    environment = load_environment("local", new_project().root)

    def wait(*statuses):
        sagemaker, said, pauses = boto3.client("sagemaker", region_name="us-east-1"), [], []
        monkeypatch.setattr(module, "client", lambda *_: sagemaker)
        with Stubber(sagemaker) as stub:
            for status in statuses:
                if status is None:
                    stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
                else:
                    stub.add_response("describe_endpoint", described(status), {"EndpointName": "acme-churn"})
            await_rest(environment, "acme-churn", say=said.append, pause=pauses.append)
            stub.assert_no_pending_responses()
        return said, sum(pauses)

    return wait


@pytest.mark.parametrize("status", [None, "InService", "Failed", "OutOfService", "UpdateRollbackFailed"])
def test_where_nothing_is_under_way_nothing_is_said_and_nobody_waits(waited, status):
    assert waited(status) == ([], 0)


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_what_is_under_way_is_waited_for_and_told(waited, status):
    said, seconds = waited(status, "InService")
    assert said == [f"acme-churn is {status}: waiting for the end of that (0 of 60 minutes)"]
    assert seconds == LOOK_SECONDS


def test_another_status_is_told_at_once_and_the_same_every_minute(waited):
    minute = TELL_SECONDS // LOOK_SECONDS
    said, _ = waited(*["Updating"] * (minute + 1), "RollingBack", "RollingBack", "InService")
    assert [line.split(":")[0] for line in said] == [
        "acme-churn is Updating",
        "acme-churn is Updating",
        "acme-churn is RollingBack",
    ]
    assert said[1].endswith("(1 of 60 minutes)")


def test_an_endpoint_that_was_being_deleted_and_is_gone_rests(waited):
    assert len(waited("Deleting", None)[0]) == 1


def test_an_hour_is_the_most_that_is_waited(waited):
    with pytest.raises(CheckFailed, match="acme-churn is Updating after 60 minutes"):
        waited(*["Updating"] * (MOST_SECONDS // LOOK_SECONDS))
