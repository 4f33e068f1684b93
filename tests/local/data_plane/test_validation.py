import pytest

from infra.local.validation import ValidationException, check

ROLE = "arn:aws:iam::123456789012:role/local"
WHOLE = {"EndpointName": "late", "EndpointConfigName": "late-1"}


def test_a_request_within_the_limits_passes():
    check("sagemaker", "CreateEndpoint", WHOLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EndpointConfigName": None}, "Value null at 'endpointConfigName'.*Member must not be null"),
        ({"EndpointName": "a" * 64}, "at 'endpointName'.*length less than or equal to 63"),
        ({"EndpointName": "under_score"}, "at 'endpointName'.*regular expression"),
        ({"Tags": [{"Key": "", "Value": "v"}]}, "at 'tags.1.member.key'.*length greater than or equal to 1"),
        (
            {"DeploymentConfig": {"RollingUpdatePolicy": {"WaitIntervalInSeconds": 9999}}},
            "at 'deploymentConfig.rollingUpdatePolicy.waitIntervalInSeconds'.*value less than or equal to 3600",
        ),
    ],
)
def test_what_aws_refuses_is_refused_in_its_words(change, message):
    with pytest.raises(ValidationException, match=message):
        check("sagemaker", "CreateEndpoint", WHOLE | change)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValidationException, match="2 validation errors detected"):
        check("sagemaker", "CreateEndpoint", {})


def test_a_choice_must_be_one_of_awss():
    resources = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.huge", "VolumeSizeInGB": 5}}
    request = {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": resources,
    }
    with pytest.raises(
        ValidationException, match=r"'ml.huge' at 'processingResources.clusterConfig.instanceType'.*enum"
    ):
        check("sagemaker", "CreateProcessingJob", request)
