import json

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local_cloud
ROLE = "arn:aws:iam::123456789012:role/fidelity"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagestack-local/serving:1"


@pytest.fixture(scope="module")
def sagemaker(cloud):
    return cloud.client("sagemaker")


def refused(operation, **request):
    with pytest.raises(ClientError) as raised:
        operation(**request)
    return raised.value.response["Error"]


def variant(**more):
    return {"VariantName": "main", "ModelName": "fidelity", "InitialInstanceCount": 1} | more


@pytest.fixture(scope="module")
def model(sagemaker):
    sagemaker.create_model(
        ModelName="fidelity",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://fidelity/model.tar.gz"},
        EnableNetworkIsolation=True,
        VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        Tags=[{"Key": "owner", "Value": "a"}],
    )
    return sagemaker.describe_model(ModelName="fidelity")


def test_a_model_is_described_as_it_was_created(model):
    assert model["EnableNetworkIsolation"] is True
    assert model["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert model["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": "s3://fidelity/model.tar.gz"}
    assert "Containers" not in model


@pytest.mark.usefixtures("model")
def test_a_model_cannot_be_created_twice(sagemaker):
    error = refused(sagemaker.create_model, ModelName="fidelity", ExecutionRoleArn=ROLE)
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith('Cannot create already existing model "arn:aws:sagemaker:')


def test_a_changed_tag_is_changed_and_not_there_twice(sagemaker, model):
    arn = model["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "b"}, {"Key": "more", "Value": "c"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "owner", "Value": "b"},
        {"Key": "more", "Value": "c"},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["more"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "b"}]


def test_what_does_not_exist_has_no_tags(sagemaker):
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/nobody"
    assert refused(sagemaker.list_tags, ResourceArn=arn)["Code"] == "ValidationException"


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("instance_type", ["ml.m7i.large", "ml.g5.xlarge"])
def test_every_instance_type_that_aws_lists_is_taken(sagemaker, instance_type):
    name = instance_type.replace(".", "-")
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(InstanceType=instance_type)])
    told = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert told["ProductionVariants"] == [variant(InstanceType=instance_type)]
    assert "DataCaptureConfig" not in told


@pytest.mark.usefixtures("model")
def test_an_instance_type_that_there_is_not_is_refused_in_awss_words(sagemaker):
    error = refused(
        sagemaker.create_endpoint_config,
        EndpointConfigName="bad",
        ProductionVariants=[variant(InstanceType="ml.m99.large")],
    )
    assert "Value 'ml.m99.large' at 'productionVariants.1.member.instanceType'" in error["Message"]


def test_a_group_with_versions_is_not_deleted_and_an_empty_one_is(sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="versions")
    containers = [{"Image": IMAGE, "ModelDataUrl": "s3://fidelity/model.tar.gz"}]
    package = sagemaker.create_model_package(
        ModelPackageGroupName="versions",
        InferenceSpecification={
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    error = refused(sagemaker.delete_model_package_group, ModelPackageGroupName="versions")
    assert error["Code"] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName="versions")
    assert refused(sagemaker.describe_model_package_group, ModelPackageGroupName="versions")


def test_a_groups_policy_is_kept_told_and_taken_away(sagemaker):
    group = {"ModelPackageGroupName": "with-policy"}
    sagemaker.create_model_package_group(**group)
    assert (
        "Cannot find Model Package Group Policy"
        in refused(sagemaker.get_model_package_group_policy, **group)["Message"]
    )
    assert "not valid JSON" in refused(sagemaker.put_model_package_group_policy, ResourcePolicy="{", **group)["Message"]
    sagemaker.put_model_package_group_policy(ResourcePolicy="{}", **group)
    assert sagemaker.get_model_package_group_policy(**group)["ResourcePolicy"] == "{}"
    sagemaker.delete_model_package_group_policy(**group)
    assert refused(sagemaker.delete_model_package_group_policy, **group)


def deny(bucket, **condition):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | condition]})


def test_a_tls_only_policy_keeps_nobody_out_of_the_loopback_and_a_plain_deny_does(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="policies")
    only_tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="policies", Policy=deny("policies", **only_tls))
    s3.put_object(Bucket="policies", Key="key", Body=b"x")
    assert s3.get_object(Bucket="policies", Key="key")["Body"].read() == b"x"
    s3.put_bucket_policy(Bucket="policies", Policy=deny("policies"))
    assert refused(s3.get_object, Bucket="policies", Key="key")["Code"] == "403"


def test_a_bucket_tells_that_its_events_go_to_eventbridge_and_who_pays(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="eventful")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="eventful")
    s3.put_bucket_notification_configuration(
        Bucket="eventful", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    assert s3.get_bucket_notification_configuration(Bucket="eventful")["EventBridgeConfiguration"] == {}
    assert s3.get_bucket_request_payment(Bucket="eventful")["Payer"] == "BucketOwner"


def test_an_aws_managed_policy_can_be_attached(cloud):
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="managed", AssumeRolePolicyDocument=document)
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="managed", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="managed")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": arn}]


def test_a_redrive_policy_has_the_spelling_of_terraforms_json(cloud):
    sqs = cloud.client("sqs")
    sqs.create_queue(QueueName="dead")
    policy = '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":3}'
    url = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["RedrivePolicy"] == policy
