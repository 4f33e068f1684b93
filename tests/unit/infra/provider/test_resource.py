import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.errors import UserError
from infra.provider import App, ArgumentError, Fn, LocalBackend, Output, Stack, UnknownAttributeError, aws, file_asset


@pytest.fixture
def app(tmp_path):
    return App(outdir=str(tmp_path))


@pytest.fixture
def stack(app):
    return stack_of(app, "test")


def stack_of(app, name):
    stack = Stack(app, name)
    LocalBackend(stack, path=f"../../../{name}.tfstate")
    aws.AwsProvider(stack, "aws", region="us-east-1")
    return stack


def synthesised(app, name="test"):
    app.synth()
    return json.loads(Path(app.outdir, "stacks", name, "cdk.tf.json").read_bytes())


def without_comment(resource):
    return {name: value for name, value in resource.items() if name != "//"}


def test_a_resource_becomes_plain_terraform_json(app, stack):
    key = aws.KmsKey(stack, "key", description="all data")
    bucket = aws.S3Bucket(stack, "bucket", bucket="data", tags={"team": "flights"}, tags_all=None)
    aws.S3BucketServerSideEncryptionConfiguration(
        stack,
        "encryption",
        bucket=bucket.id,
        rule={"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}},
    )
    resources = synthesised(app)["resource"]
    assert without_comment(resources["aws_s3_bucket"]["bucket"]) == {"bucket": "data", "tags": {"team": "flights"}}
    assert without_comment(resources["aws_s3_bucket_server_side_encryption_configuration"]["encryption"]) == {
        "bucket": "${aws_s3_bucket.bucket.id}",
        "rule": [
            {
                "apply_server_side_encryption_by_default": {
                    "kms_master_key_id": "${aws_kms_key.key.arn}",
                    "sse_algorithm": "aws:kms",
                }
            }
        ],
    }


@pytest.mark.usefixtures("stack")
def test_the_provider_is_pinned_to_the_version_of_the_schema(app):
    terraform = synthesised(app)["terraform"]
    assert terraform["required_providers"]["aws"] == {
        "source": "registry.terraform.io/hashicorp/aws",
        "version": "5.100.0",
    }
    assert terraform["backend"] == {"local": {"path": "../../../test.tfstate"}}


def test_a_second_provider_has_an_alias_and_resources_choose_it(app, stack):
    other = aws.AwsProvider(stack, "other", alias="other", region="eu-west-1")
    aws.S3Bucket(stack, "bucket", bucket="b", provider=other)
    document = synthesised(app)
    assert document["provider"]["aws"] == [{"region": "us-east-1"}, {"alias": "other", "region": "eu-west-1"}]
    assert document["resource"]["aws_s3_bucket"]["bucket"]["provider"] == "aws.other"


def test_lifecycle_and_dependencies_are_terraforms(app, stack):
    topic = aws.SnsTopic(stack, "topic", name="alarms")
    aws.S3Bucket(
        stack,
        "bucket",
        bucket="b",
        depends_on=(topic,),
        lifecycle={"prevent_destroy": True, "ignore_changes": ["tags"], "create_before_destroy": False},
    )
    bucket = synthesised(app)["resource"]["aws_s3_bucket"]["bucket"]
    assert bucket["depends_on"] == ["aws_sns_topic.topic"]
    assert bucket["lifecycle"] == {"prevent_destroy": True, "ignore_changes": ["tags"], "create_before_destroy": False}


def test_a_data_source_can_be_read(app, stack):
    me = aws.data.CallerIdentity(stack, "me")
    Output(stack, "account", value=f"account {me.account_id}")
    document = synthesised(app)
    assert document["output"]["account"]["value"] == "account ${data.aws_caller_identity.me.account_id}"
    assert list(document["data"]["aws_caller_identity"]) == ["me"]


def test_references_and_functions_work_inside_other_arguments(app, stack):
    bucket = aws.S3Bucket(stack, "bucket", bucket="b")
    aws.SsmParameter(stack, "where", name="/where", type="String", value=Fn.join("/", ["s3:/", bucket.id]))
    value = synthesised(app)["resource"]["aws_ssm_parameter"]["where"]["value"]
    assert value == '${join("/", ["s3:/", aws_s3_bucket.bucket.id])}'


def test_a_number_of_another_resource_can_be_given_where_a_number_is_expected(app, stack):
    first = aws.SqsQueue(stack, "first", visibility_timeout_seconds=30)
    aws.SqsQueue(stack, "second", visibility_timeout_seconds=first.visibility_timeout_seconds)
    second = synthesised(app)["resource"]["aws_sqs_queue"]["second"]
    assert second["visibility_timeout_seconds"] == "${aws_sqs_queue.first.visibility_timeout_seconds}"


def test_a_reference_to_another_stack_is_read_from_its_state(app, stack):
    bucket = aws.S3Bucket(stack, "bucket", bucket="b")
    other = stack_of(app, "other")
    aws.SsmParameter(other, "arn", name="/arn", type="String", value=bucket.arn)
    document = synthesised(app, "other")
    remote = document["data"]["terraform_remote_state"]["cross-stack-reference-input-test"]
    assert remote["config"] == {"path": "../../../test.tfstate"}
    value = document["resource"]["aws_ssm_parameter"]["arn"]["value"]
    assert value.endswith("outputs.cross-stack-output-aws_s3_bucketbucketarn}")


def test_a_files_path_is_relative_to_the_stack_and_changes_with_its_content(app, stack, tmp_path):
    source = tmp_path / "code.py"
    source.write_text("1")
    first = file_asset(stack, "first", source)
    source.write_text("2")
    second = file_asset(stack, "second", source)
    aws.LambdaFunction(stack, "f", function_name="f", role="r", filename=first, source_code_hash=second)
    function = synthesised(app)["resource"]["aws_lambda_function"]["f"]
    assert function["filename"].startswith("assets/first/")
    assert function["filename"].split("/")[2] != function["source_code_hash"].split("/")[2]
    assert (tmp_path / "stacks" / "test" / function["filename"]).is_file()


def test_every_mistake_of_a_resource_is_told_with_its_address_and_type(stack):
    with pytest.raises(ArgumentError) as error:
        aws.S3Bucket(stack, "b", buckett="x", tags=["a"], lifecycle={"prevent": True, "ignore_changes": ["tag"]})
    assert str(error.value).splitlines() == [
        "test/b (aws_s3_bucket): buckett is not an argument here: did you mean bucket?",
        "test/b (aws_s3_bucket): tags is a list, expected a dict of strings",
        "test/b (aws_s3_bucket): lifecycle.prevent is not an argument here: did you mean prevent_destroy?",
        "test/b (aws_s3_bucket): lifecycle.ignore_changes names tag, which is no attribute here: did you mean tags?",
    ]


def test_mistakes_are_the_authors_to_mend_so_the_command_line_shows_no_traceback():
    assert issubclass(ArgumentError, UserError)
    assert issubclass(UnknownAttributeError, UserError)


def test_a_resource_given_for_its_arn_is_noticed(stack):
    key = aws.KmsKey(stack, "key")
    with pytest.raises(ArgumentError, match="kms_master_key_id is a KmsKey, expected a string: give one of its attr"):
        aws.SnsTopic(stack, "topic", kms_master_key_id=key)


def test_an_id_cannot_be_given(stack):
    with pytest.raises(ArgumentError, match="id is set by AWS, it can only be read: remove it"):
        aws.S3Bucket(stack, "bucket", id="x")


def test_a_reference_to_an_attribute_that_is_not_there_is_noticed(stack):
    bucket = aws.S3Bucket(stack, "bucket", bucket="b")
    with pytest.raises(
        UnknownAttributeError, match=r"test/bucket \(aws_s3_bucket\) has no attribute arnn: did you mean arn\?"
    ):
        bucket.arnn  # noqa: B018 - reading it is the test
    assert not hasattr(bucket, "buckett")


def test_a_refused_resource_leaves_no_trace_in_the_stack(app, stack):
    with pytest.raises(ArgumentError):
        aws.S3Bucket(stack, "bucket", nonsense=1)
    aws.S3Bucket(stack, "bucket", bucket="b")
    assert list(synthesised(app)["resource"]["aws_s3_bucket"]) == ["bucket"]


def test_a_type_that_is_not_in_use_is_named_with_its_neighbour_or_the_way_to_add_it():
    with pytest.raises(AttributeError, match=r"infra\.provider\.aws has no S3Buckett: did you mean S3Bucket\?"):
        aws.S3Buckett  # noqa: B018 - reading it is the test
    with pytest.raises(AttributeError, match=r"regenerate\.py lists the types in use"):
        aws.data.Zzz  # noqa: B018 - reading it is the test


def test_classes_are_made_once_and_listed():
    assert aws.S3Bucket is aws.S3Bucket
    assert {"S3Bucket", "SagemakerEndpointConfiguration", "AwsProvider", "data"} <= set(dir(aws))
    assert {"CallerIdentity", "IamPolicyDocument"} <= set(dir(aws.data))


def test_the_same_app_gives_the_same_bytes(tmp_path):
    def once(folder):
        app = App(outdir=str(tmp_path / folder))
        stack = stack_of(app, "test")
        aws.S3Bucket(stack, "bucket", tags={"b": "2", "a": "1"}, bucket="b")
        app.synth()
        return (tmp_path / folder / "stacks/test/cdk.tf.json").read_bytes()

    assert once("first") == once("second")


WRONG = """
from infra.provider import Stack, aws
def build(stack: Stack) -> None:
    bucket = aws.S3Bucket(stack, "bucket", bucket="b", tags={"a": "b"}, lifecycle={"prevent_destroy": True})
    aws.SnsTopic(stack, "right", name="x", kms_master_key_id=bucket.arn, policy=None)
    aws.SqsQueue(stack, "right-too", delay_seconds=bucket.id, policy=bucket.arn)
    aws.S3Bucket(stack, "b1", buckett="b")
    aws.S3Bucket(stack, "b2", bucket=5)
    aws.SsmParameter(stack, "p", name="x")
    bucket.arnn
    aws.S3BucketVersioning(stack, "v", bucket="b", versioning_configuration={"statuss": "Enabled"})
    aws.S3Buckett(stack, "b3")
"""


@pytest.mark.skipif(find_spec("cdktf") is None, reason="mypy knows the framework's types by the name of cdktf")
def test_mypy_refuses_a_wrong_attribute_type_or_reference(tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", file], capture_output=True, text=True, check=False
    )
    found = [int(line.split(":")[1]) for line in answer.stdout.splitlines() if ": error:" in line]
    assert sorted(set(found)) == [7, 8, 9, 10, 11, 12], answer.stdout
