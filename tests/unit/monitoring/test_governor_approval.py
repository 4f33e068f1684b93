"""A registered version on its way to being approved without a person."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from monitoring.governor import function
from tests.unit.monitoring.governing import AUTO_APPROVAL, SPEC, registered

BUCKET, METRICS = "runs", {"metrics": {"auc": 0.72}, "champion_metrics": {"auc": 0.70}}


class SageMaker:
    """Model packages, as much of them as the governor takes."""

    def __init__(self):
        self.packages, self.fails, self._lock = {}, False, threading.Lock()

    def register(self, number, **properties):
        given = {"evaluation_uri": f"s3://{BUCKET}/evaluation.json", "started_by": "drift", "auc": "0.72"} | properties
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{SPEC.pipeline}/{number}"
        package = {"ModelPackageArn": arn, "ModelPackageVersion": number, "CustomerMetadataProperties": given}
        self.packages[arn] = package | {"ModelApprovalStatus": "PendingManualApproval"}
        return arn

    def describe_model_package(self, *, ModelPackageName):  # noqa: N803 - SageMaker's names
        return dict(self.packages[ModelPackageName])

    def update_model_package(self, *, ModelPackageArn, **changes):  # noqa: N803
        if self.fails:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateModelPackage")
        with self._lock:
            self.packages[ModelPackageArn] |= changes

    def approved(self):
        return [
            one["ModelPackageVersion"] for one in self.packages.values() if one["ModelApprovalStatus"] == "Approved"
        ]


@pytest.fixture
def aws(monkeypatch):
    """A new AWS in this process, but for SageMaker."""
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(replace(SPEC, auto_approval=AUTO_APPROVAL))))
    with mock_aws():
        clients = {name: boto3.client(name, region_name="us-east-1") for name in ("s3", "dynamodb", "events")}
        clients["sagemaker"] = SageMaker()
        monkeypatch.setattr(function, "client", clients.__getitem__)
        clients["s3"].create_bucket(Bucket=BUCKET)
        clients["s3"].put_object(Bucket=BUCKET, Key="evaluation.json", Body=json.dumps(METRICS))
        keys = [("kind", "HASH"), ("at", "RANGE")]
        clients["dynamodb"].create_table(
            TableName=SPEC.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        yield clients


def decide(package, **head):
    return function.handler(registered(package, **head), None)["decision"]


def kept(aws, kind):
    return [one for one in aws["dynamodb"].scan(TableName=SPEC.table)["Items"] if one["kind"]["S"] == kind]


def test_who_approved_and_why_stands_on_the_package_and_in_the_table(aws):
    package = aws["sagemaker"].register(3)
    told = decide(package)
    assert (told["approved"], told["version"]) == (True, "3")
    changed = aws["sagemaker"].packages[package]
    assert (changed["ModelApprovalStatus"], changed["ApprovalDescription"]) == ("Approved", told["reason"])
    assert changed["CustomerMetadataProperties"]["approved_by"] == "governor"
    assert changed["CustomerMetadataProperties"]["auc"] == "0.72"
    (item,) = kept(aws, "approval")
    assert (item["approved"], item["reason"]["S"]) == ({"BOOL": True}, told["reason"])


def test_a_version_that_does_not_pass_waits_for_a_person_with_the_reason_kept(aws):
    told = decide(aws["sagemaker"].register(3, started_by="person"))
    assert (told["approved"], aws["sagemaker"].approved()) == (False, [])
    assert kept(aws, "approval")[0]["reason"]["S"].startswith("started by person")
    assert kept(aws, "approved") == []


def test_of_many_versions_at_once_no_more_are_approved_than_a_month_may_have(aws):
    packages = [aws["sagemaker"].register(number) for number in range(1, 13)]
    with ThreadPoolExecutor(12) as threads:
        told = list(threads.map(lambda one: decide(one, id_=one), packages))
    assert Counter(answer["approved"] for answer in told) == {True: 2, False: 10}
    assert len(aws["sagemaker"].approved()) == 2
    assert decide(aws["sagemaker"].register(20), id_="may", time="2013-05-01T00:00:00Z")["approved"]


def test_a_governor_that_died_before_it_approved_does_so_at_the_next_try_and_is_counted_once(aws):
    package = aws["sagemaker"].register(3)
    aws["sagemaker"].fails = True
    with pytest.raises(ClientError, match="Throttling"):
        decide(package)
    aws["sagemaker"].fails = False
    assert decide(package)["approved"]
    (item,) = kept(aws, "approved")
    assert (item["at"]["S"], item["versions"]["S"]) == ("2013-04", "3")
    assert "nothing to decide" in decide(package)["reason"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ModelApprovalStatus": "Rejected"}, "is Rejected: nothing to decide"),
        ({"CustomerMetadataProperties": {}}, "was not registered by the pipeline: a person decides"),
    ],
)
def test_what_a_person_has_decided_about_or_has_registered_is_let_be(aws, change, why):
    package = aws["sagemaker"].register(3)
    aws["sagemaker"].packages[package] |= change
    assert decide(package)["reason"].endswith(why)
    assert (kept(aws, "approval"), aws["sagemaker"].approved()) == ([], [])


def test_without_gates_nothing_is_approved(aws, monkeypatch):
    monkeypatch.setenv("SAGESTACK_GOVERNOR_SPEC", json.dumps(asdict(SPEC)))
    decide(aws["sagemaker"].register(3))
    assert aws["sagemaker"].approved() == []


def test_an_event_without_a_package_is_a_line_in_the_log(aws, capsys):
    assert "no ModelPackageArn" in decide(None)["reason"]
    assert json.loads(capsys.readouterr().out)
    assert kept(aws, "approval") == []
