"""What a call takes, read from the requests that boto3 makes."""

import io
from functools import cache
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.identity.api_call import read, signature
from infra.local.identity.encryption import Keys
from infra.local.identity.needs import Needs
from infra.local.identity.resources import Place

ACCOUNT, REGION = "123456789012", "us-east-1"
PLACE = Place(ACCOUNT, REGION)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
PROCESSING = {
    "ProcessingJobName": "j",
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
}
CASES = [
    ("s3", "put_object", {"Bucket": "b", "Key": "a/1", "Body": b"x"}, [("s3:PutObject", "arn:aws:s3:::b/a/1")]),
    ("s3", "head_object", {"Bucket": "b", "Key": "a/1"}, [("s3:GetObject", "arn:aws:s3:::b/a/1")]),
    (
        "s3",
        "get_object",
        {"Bucket": "b", "Key": "a", "VersionId": "1"},
        [("s3:GetObjectVersion", "arn:aws:s3:::b/a")],
    ),
    ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a/"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "list_buckets", {}, [("s3:ListAllMyBuckets", "*")]),
    (
        "s3",
        "upload_part",
        {"Bucket": "b", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b""},
        [("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    (
        "s3",
        "abort_multipart_upload",
        {"Bucket": "b", "Key": "k", "UploadId": "u"},
        [("s3:AbortMultipartUpload", "arn:aws:s3:::b/k")],
    ),
    (
        "s3",
        "copy_object",
        {"Bucket": "b", "Key": "to", "CopySource": {"Bucket": "a", "Key": "from"}},
        [("s3:PutObject", "arn:aws:s3:::b/to"), ("s3:GetObject", "arn:aws:s3:::a/from")],
    ),
    (
        "s3",
        "delete_objects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::b/x"), ("s3:DeleteObject", "arn:aws:s3:::b/y")],
    ),
    ("s3", "get_bucket_encryption", {"Bucket": "b"}, [("s3:GetEncryptionConfiguration", "arn:aws:s3:::b")]),
    (
        "sagemaker",
        "create_processing_job",
        PROCESSING | {"Tags": [{"Key": "model", "Value": "churn"}]},
        [
            ("sagemaker:CreateProcessingJob", f"{SAGEMAKER}processing-job/j"),
            ("sagemaker:AddTags", f"{SAGEMAKER}processing-job/j"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "sagemaker",
        "start_pipeline_execution",
        {"PipelineName": "p"},
        [("sagemaker:StartPipelineExecution", f"{SAGEMAKER}pipeline/p")],
    ),
    (
        "sagemaker",
        "describe_pipeline_execution",
        {"PipelineExecutionArn": f"{SAGEMAKER}pipeline/p/execution/1"},
        [("sagemaker:DescribePipelineExecution", f"{SAGEMAKER}pipeline/p/execution/1")],
    ),
    (
        "sagemaker",
        "describe_model_package",
        {"ModelPackageName": f"{SAGEMAKER}model-package/g/1"},
        [("sagemaker:DescribeModelPackage", f"{SAGEMAKER}model-package/g/1")],
    ),
    (
        "sagemaker-runtime",
        "invoke_endpoint",
        {"EndpointName": "e", "Body": b""},
        [("sagemaker:InvokeEndpoint", f"{SAGEMAKER}endpoint/e")],
    ),
    (
        "logs",
        "put_log_events",
        {"logGroupName": "/g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
        [("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:s")],
    ),
    (
        "logs",
        "create_log_group",
        {"logGroupName": "/g"},
        [("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:")],
    ),
    ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": []}, [("cloudwatch:PutMetricData", "*")]),
    (
        "dynamodb",
        "get_item",
        {"TableName": "t", "Key": {"k": {"S": "v"}}},
        [("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t")],
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": "f"},
        [("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f")],
    ),
    (
        "lambda",
        "create_function",
        {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b""}, "Handler": "h", "Runtime": "python3.12"},
        [("lambda:CreateFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"), ("iam:PassRole", ROLE)],
    ),
    (
        "sqs",
        "send_message",
        {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/q", "MessageBody": "m"},
        [("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")],
    ),
    (
        "sns",
        "publish",
        {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t", "Message": "m"},
        [("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:t")],
    ),
    (
        "events",
        "put_events",
        {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
        [("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default")],
    ),
    (
        "events",
        "put_targets",
        {"Rule": "r", "Targets": [{"Id": "1", "Arn": "a", "RoleArn": ROLE}]},
        [("events:PutTargets", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"), ("iam:PassRole", ROLE)],
    ),
    ("ecr", "get_authorization_token", {}, [("ecr:GetAuthorizationToken", "*")]),
    ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "ada"}, [("sts:AssumeRole", ROLE)]),
    (
        "kms",
        "decrypt",
        {"KeyId": "k", "CiphertextBlob": b"x"},
        [("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")],
    ),
    ("ssm", "get_parameters_by_path", {"Path": "/a"}, [("ssm:GetParametersByPath", None)]),
]


class CaughtError(Exception):
    """A request on its way out."""

    def __init__(self, request):
        super().__init__("caught")
        self.request = request


@cache
def client(service):
    """A client whose requests are caught before they leave."""
    made = boto3.client(
        service,
        endpoint_url="http://127.0.0.1",
        region_name=REGION,
        aws_access_key_id="ASIAEXAMPLE",
        aws_secret_access_key="secret",  # noqa: S106 - nobody checks it
    )

    def catch(request, **_):
        raise CaughtError(request)

    made.meta.events.register("before-send", catch)
    return made


def caught(service, operation, parameters):
    """The WSGI environment of the request that boto3 would send."""
    with pytest.raises(CaughtError) as raised:
        getattr(client(service), operation)(**parameters)
    return environ_of(raised.value.request)


def environ_of(request):
    url, body = urlsplit(request.url), request.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
    headers = {
        name.upper().replace("-", "_"): value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    return {f"HTTP_{name}": value for name, value in headers.items()} | {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(url.path, "latin-1"),
        "RAW_URI": f"{url.path}?{url.query}",
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
    }


def needs(service, operation, parameters):
    environ = caught(service, operation, parameters)
    return list(Needs(Keys(PLACE)).of(read(environ, signature(environ).service)))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_a_call_takes_these_actions_on_these_resources(service, operation, parameters, expected):
    assert [(need.action, need.resource) for need in needs(service, operation, parameters)] == expected


def test_conditions_see_prefixes_namespaces_tags_and_whom_a_role_is_passed_to():
    (listing,) = needs("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a/", "Delimiter": "/"})
    assert (listing.known["s3:prefix"], listing.known["s3:delimiter"]) == (("a/",), ("/",))
    (metrics,) = needs("cloudwatch", "put_metric_data", {"Namespace": "sagestack/drift", "MetricData": []})
    assert metrics.known == {"cloudwatch:namespace": ("sagestack/drift",)}
    create, tags, passed = needs(
        "sagemaker", "create_processing_job", PROCESSING | {"Tags": [{"Key": "model", "Value": "churn"}]}
    )
    assert create.known == tags.known == {"aws:requesttag/model": ("churn",), "aws:tagkeys": ("model",)}
    assert passed.known == {"iam:passedtoservice": ("sagemaker.amazonaws.com",)}


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_any_key_of_an_object_is_read_as_it_was_meant(key):
    if key.strip("/.") and not any(part in {"", ".", ".."} for part in key.split("/")):
        (need,) = needs("s3", "head_object", {"Bucket": "b", "Key": key})
        assert need.resource == f"arn:aws:s3:::b/{key}"


def test_the_body_can_be_read_again_by_whoever_answers():
    environ = caught("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"content"})
    read(environ, "s3")
    assert environ["wsgi.input"].read() == b"content"


def test_what_is_no_operation_of_the_service_is_not_read():
    environ = caught("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "v"}}})
    environ["HTTP_X_AMZ_TARGET"] = "DynamoDB_20120810.Imagine"
    assert read(environ, "dynamodb") is None
