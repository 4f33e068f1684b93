"""A job does what its role may, and no more: a missing grant fails it here as on AWS, with AWS's reason."""

import json

import pytest
from botocore.exceptions import ClientError

NETWORK = {"EnableNetworkIsolation": True}
HALF_A_TRUST = {
    "another account": {"StringEquals": {"aws:SourceAccount": "210987654321"}},
    "another job": {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:*:*:training-job/*"}},
}


def test_a_role_with_what_a_job_takes_and_no_more_sees_it_through(roles, grants):
    ended = roles.job(roles.role(*grants(roles.name).values()))
    assert ended["ProcessingJobStatus"] == "Completed", ended


@pytest.mark.parametrize(
    "missing", ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"]
)
def test_a_missing_grant_fails_the_job_and_is_named(roles, grants, missing):
    granted = [statement for name, statement in grants(roles.name).items() if name != missing]
    ended = roles.job(roles.role(*granted))
    assert ended["ProcessingJobStatus"] == "Failed"
    actor = f"User: arn:aws:sts::123456789012:assumed-role/{roles.name}/SageMaker is not authorized to perform:"
    first = "ecr:BatchCheckLayerAvailability" if missing == "ecr:BatchGetImage" else missing
    assert f"{actor} {first} on resource:" in ended["FailureReason"] or "(403)" in ended["FailureReason"]
    refused = [event for event in roles.events(EventName=first.split(":")[1]) if _of(event, roles.name)]
    assert {event.get("errorCode") for event in refused} == {"AccessDenied"}


@pytest.mark.parametrize("may_log", [True, False])
def test_a_job_logs_if_its_role_may_and_runs_if_it_may_not(roles, grants, allow, may_log):
    granted = [statement for name, statement in grants(roles.name).items() if may_log or not name.startswith("logs")]
    ended = roles.job(roles.role(*granted, allow("s3:PutObject", resource=f"{roles.bucket}/called")), "call")
    assert ended["ProcessingJobStatus"] == "Completed"
    streams = roles.cloud.client("logs").get_paginator("describe_log_streams")
    refused = [event for event in roles.events(EventName="CreateLogStream") if _of(event, roles.name)]
    assert [event.get("errorCode") for event in refused if event.get("errorCode")] == (
        [] if may_log else ["AccessDenied"]
    )
    if may_log:
        pages = streams.paginate(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=roles.name)
        assert [stream for page in pages for stream in page["logStreams"]]


def test_a_container_calls_in_its_roles_name_and_is_held_to_it(roles, grants, allow):
    may = allow("s3:PutObject", resource=f"{roles.bucket}/called")
    ended = roles.job(roles.role(*grants(roles.name).values(), may), "call")
    assert ended["ProcessingJobStatus"] == "Completed", ended
    caller = roles.cloud.get(f"s3://{roles.name}/called").decode()
    assert caller == f"arn:aws:sts::123456789012:assumed-role/{roles.name}/SageMaker"


def test_a_containers_own_call_without_the_grant_is_refused(roles, grants):
    ended = roles.job(roles.role(*grants(roles.name).values()), "call")
    assert ended["ProcessingJobStatus"] == "Failed"
    assert "(AccessDenied)" in ended["FailureReason"]
    assert "because no identity-based policy allows the s3:PutObject action" in ended["FailureReason"]


def test_a_container_without_a_network_finds_no_credentials(roles, grants, allow):
    role = roles.role(*grants(roles.name).values(), allow("s3:*"))
    ended = roles.job(role, "call", NetworkConfig=NETWORK)
    assert "Unable to locate credentials" in ended["FailureReason"]


def test_a_bucket_may_deny_what_the_role_allows(roles, grants):
    roles.cloud.put(f"s3://{roles.name}/in/one.csv", b"1")
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{roles.bucket}/out/*"}
    roles.cloud.client("s3").put_bucket_policy(
        Bucket=roles.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    )
    ended = roles.job(roles.role(*grants(roles.name).values()))
    assert "with an explicit deny in a resource-based policy" in ended["FailureReason"]


def test_a_boundary_takes_away_what_it_does_not_hold(roles, grants, allow):
    boundary = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:Get*", "s3:List*", "ecr:*", "logs:*")]})
    arn = roles.cloud.client("iam").create_policy(PolicyName=roles.name, PolicyDocument=boundary)["Policy"]["Arn"]
    ended = roles.job(roles.role(*grants(roles.name).values(), PermissionsBoundary=arn))
    assert "because no permissions boundary allows the s3:PutObject action" in ended["FailureReason"]


def test_an_encrypted_bucket_asks_for_its_key_too(roles, grants, allow):
    key = roles.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    roles.cloud.put(f"s3://{roles.name}/in/zero.csv", b"0")
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    roles.cloud.client("s3").put_bucket_encryption(
        Bucket=roles.name, ServerSideEncryptionConfiguration={"Rules": [default]}
    )
    role = roles.role(*grants(roles.name).values(), allow("kms:Decrypt", resource=key))
    assert "kms:GenerateDataKey" in roles.job(role)["FailureReason"]


@pytest.mark.parametrize("where", HALF_A_TRUST)
def test_a_role_is_assumed_only_on_whose_behalf_it_says(roles, grants, where):
    role = roles.role(*grants(roles.name).values(), condition=HALF_A_TRUST[where])
    with pytest.raises(ClientError, match="Could not assume role") as error:
        roles.job(role)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_a_role_that_trusts_another_service_or_is_not_there_is_refused(roles, grants):
    for role in (roles.role(*grants(roles.name).values(), services=["lambda"]), "arn:aws:iam::123456789012:role/none"):
        with pytest.raises(ClientError, match=r"allows principal 'sagemaker.amazonaws.com' to assume the role"):
            roles.job(role)


def _of(event, role):
    return event["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("userName") == role
