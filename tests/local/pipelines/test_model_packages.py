import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local_cloud
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme-local/serving:1"
JSON_FILE = {"ContentType": "application/json", "S3Uri": "s3://registry/runs/1/evaluation.json"}
CONTENT = {
    "ModelPackageDescription": "Late flights",
    "ModelApprovalStatus": "PendingManualApproval",
    "InferenceSpecification": {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://registry/runs/1/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    },
    "ModelMetrics": {
        "ModelQuality": {"Statistics": JSON_FILE},
        "ModelDataQuality": {"Statistics": JSON_FILE, "Constraints": JSON_FILE},
    },
    "CustomerMetadataProperties": {"auc": "0.72", "trained_on": "2013-01 2013-02"},
}


@pytest.fixture
def sagemaker(fake_cloud):
    return fake_cloud.client("sagemaker")


@pytest.fixture
def group(sagemaker):
    name = f"g-{uuid.uuid4().hex[:10]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


@pytest.fixture
def register(sagemaker, group):
    def create(**changes):
        request = {"ModelPackageGroupName": group} | CONTENT | changes
        return sagemaker.create_model_package(**request)["ModelPackageArn"]

    return create


def listed(sagemaker, group, **more):
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group, **more)
    return [row["ModelPackageVersion"] for page in pages for row in page["ModelPackageSummaryList"]]


def test_everything_registered_comes_back(sagemaker, register, group):
    arn = register()
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert {name: told[name] for name in CONTENT} == CONTENT
    assert (told["ModelPackageGroupName"], told["ModelPackageVersion"]) == (group, 1)
    assert told["ModelPackageStatus"] == "Completed"


def test_versions_count_up_and_are_never_given_twice(sagemaker, register, group):
    first, second = register(), register()
    assert first.endswith(f"/{group}/1")
    assert second.endswith(f"/{group}/2")
    sagemaker.delete_model_package(ModelPackageName=second)
    assert register().endswith("/3")
    assert listed(sagemaker, group) == [1, 3]


def test_versions_registered_at_once_are_distinct(sagemaker, register, group):
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: register(), range(8)))
    assert len(set(arns)) == 8
    assert sorted(listed(sagemaker, group)) == list(range(1, 9))


def test_lists_are_filtered_ordered_and_paged(sagemaker, register, group):
    arns = [register() for _ in range(3)]
    sagemaker.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    assert listed(sagemaker, group, ModelApprovalStatus="Approved") == [2]
    assert listed(sagemaker, group, SortOrder="Descending") == [3, 2, 1]
    assert listed(sagemaker, group, PaginationConfig={"PageSize": 2}) == [1, 2, 3]
    assert listed(sagemaker, group, NameContains=group[:5]) == [1, 2, 3]
    assert listed(sagemaker, group, NameContains="no-such") == []


def test_an_update_adds_properties_and_keeps_what_it_does_not_name(sagemaker, register):
    arn = register()
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better than the last",
        CustomerMetadataProperties={"approved_by": "ada"},
        CustomerMetadataPropertiesToRemove=["trained_on"],
    )
    told = sagemaker.describe_model_package(ModelPackageName=arn)
    assert told["ModelApprovalStatus"] == "Approved"
    assert told["ApprovalDescription"] == "better than the last"
    assert told["CustomerMetadataProperties"] == {"auc": "0.72", "approved_by": "ada"}
    assert told["ModelMetrics"] == CONTENT["ModelMetrics"]
    assert "LastModifiedTime" in told


def test_registration_and_approval_are_events(listen, sagemaker, register, group):
    queue = listen(
        {"detail-type": ["SageMaker Model Package State Change"], "detail": {"ModelPackageGroupName": [group]}}
    )
    arn = register()
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    details = {event["detail"]["ModelApprovalStatus"]: event["detail"] for event in queue.read()}
    assert set(details) == {"PendingManualApproval", "Approved"}
    assert details["PendingManualApproval"]["CustomerMetadataProperties"] == CONTENT["CustomerMetadataProperties"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelPackageGroupName": "no-such-group"}, "no-such-group does not exist"),
        ({"ModelApprovalStatus": "Perhaps"}, "enum value set"),
        ({"CustomerMetadataProperties": {"trained_on": "2013-01,2013-02"}}, "regular expression"),
        ({"CustomerMetadataProperties": {"trained_on": "x" * 257}}, "less than or equal to 256"),
    ],
)
def test_a_registration_that_aws_would_refuse_is_refused(register, changes, message):
    with pytest.raises(ClientError, match=message) as error:
        register(**changes)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_package_that_does_not_exist_is_told_of(sagemaker, group):
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/9"
    for call in (
        lambda: sagemaker.describe_model_package(ModelPackageName=arn),
        lambda: sagemaker.delete_model_package(ModelPackageName=arn),
        lambda: sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved"),
    ):
        with pytest.raises(ClientError, match="does not exist"):
            call()
