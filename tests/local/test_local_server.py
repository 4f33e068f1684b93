import http.client
import json
import socket
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from infra.errors import UserError
from infra.local import lifecycle

pytestmark = pytest.mark.local_cloud


def call(cloud, method, path, body=None):
    connection = http.client.HTTPConnection(cloud.endpoint_url.removeprefix("http://"))
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def error_of(operation, **request):
    with pytest.raises(ClientError) as raised:
        operation(**request)
    return raised.value.response["Error"]


def test_status_tells_what_a_script_needs_to_know(cloud):
    status = cloud.handle.status()
    assert status["ready"] is True
    assert status["pid"] == cloud.handle.pid
    assert status["endpoint_url"] == cloud.endpoint_url
    assert {"version", "clock", "under_way", "endpoints", "jobs_in_progress"} <= status.keys()


def test_the_cloud_listens_on_loopback_only(cloud):
    listening = [c for c in psutil.Process(cloud.handle.pid).net_connections("inet") if c.status == "LISTEN"]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_every_service_tells_the_clouds_time(fresh_cloud):
    before = fresh_cloud.now()
    fresh_cloud.advance(seconds=timedelta(days=40).total_seconds())
    then = before.replace(microsecond=0) + timedelta(days=40)  # some services tell whole seconds
    s3, logs, cloudwatch = (fresh_cloud.client(service) for service in ("s3", "logs", "cloudwatch"))
    s3.create_bucket(Bucket="dated")
    s3.put_object(Bucket="dated", Key="key", Body=b"")
    logs.create_log_group(logGroupName="dated")
    cloudwatch.put_dashboard(DashboardName="dated", DashboardBody="{}")
    told = [
        s3.list_buckets()["Buckets"][0]["CreationDate"],
        s3.head_object(Bucket="dated", Key="key")["LastModified"],
        cloudwatch.list_dashboards()["DashboardEntries"][0]["LastModified"],
        parsedate_to_datetime(s3.list_buckets()["ResponseMetadata"]["HTTPHeaders"]["date"]),
    ]
    assert all(then <= moment < then + timedelta(minutes=5) for moment in told)
    assert logs.describe_log_groups()["logGroups"][0]["creationTime"] / 1000 >= then.timestamp()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "the body is not JSON"),
        ("[]", "the body is not a JSON object"),
        ("{}", 'say {"to": "2013-05-01T00:00:00Z"} or {"by_seconds": 3600}'),
        ('{"by_seconds": true}', 'say {"to": "2013-05-01T00:00:00Z"} or {"by_seconds": 3600}'),
        ('{"to": "2040-01-01T00:00:00"}', "to is 2040-01-01T00:00:00, a time of no time zone: add Z for UTC"),
        ('{"to": "yesterday"}', "Invalid isoformat string: 'yesterday'"),
    ],
)
def test_a_bad_clock_request_is_refused_with_the_rule(cloud, body, message):
    assert call(cloud, "POST", "/_sagestack/clock", body) == (400, {"error": message})


def test_the_clock_cannot_be_moved_back(cloud):
    with pytest.raises(UserError, match="cannot go back"):
        cloud.advance(seconds=-5)


def test_an_unknown_control_path_names_the_known_ones(cloud):
    status, answer = call(cloud, "GET", "/_sagestack/clock")
    assert status == 404
    assert answer["error"].startswith("there is no GET /_sagestack/clock; there are GET /_sagestack/status")


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("sagemaker", "create_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": "x"}),
        ("sagemaker", "start_notebook_instance", {"NotebookInstanceName": "x"}),
        ("cloudwatch", "put_anomaly_detector", {"Namespace": "x", "MetricName": "x", "Stat": "Average"}),
        ("sns", "create_sms_sandbox_phone_number", {"PhoneNumber": "1"}),
        ("iam", "generate_service_last_accessed_details", {"Arn": "arn:aws:iam::123456789012:role/x"}),
        ("lambda", "get_account_settings", {}),
        ("s3", "put_bucket_metrics_configuration", {"Bucket": "b" * 9, "Id": "x", "MetricsConfiguration": {"Id": "x"}}),
        ("s3", "get_object_torrent", {"Bucket": "b" * 9, "Key": "x"}),
    ],
)
def test_an_operation_that_is_not_there_says_so_in_its_own_protocol(cloud, service, operation, request_):
    client = cloud.client(service)
    if operation == "create_hyper_parameter_tuning_job":
        request_ = request_ | {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "ResourceLimits": {"MaxParallelTrainingJobs": 1},
            }
        }
    error = error_of(getattr(client, operation), **request_)
    assert "UnsupportedOperation" in error["Code"]
    assert error["Message"].startswith("The local cloud does not support")


def test_a_service_that_is_not_offered_says_so(cloud):
    glue = boto3.client(
        "glue",
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - nobody checks it
    )
    error = error_of(glue.start_job_run, JobName="x")
    assert error == {"Code": "UnsupportedOperation", "Message": "The local cloud does not offer the service glue."}


def test_a_connection_is_kept_alive_and_bodies_never_run_into_the_next_request(cloud):
    connection = http.client.HTTPConnection(cloud.endpoint_url.removeprefix("http://"))
    connection.request("GET", "/_sagestack/status", body=b"GET /nonsense HTTP/1.1\r\n\r\n")
    assert connection.getresponse().read()
    held = connection.sock
    connection.request("GET", "/_sagestack/status")
    assert json.loads(connection.getresponse().read())["ready"] is True
    assert connection.sock is held
    connection.close()


def test_no_web_page_may_call_the_cloud(cloud):
    connection = http.client.HTTPConnection(cloud.endpoint_url.removeprefix("http://"))
    connection.request("GET", "/", headers={"Origin": "https://example.com"})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.getheader("Access-Control-Allow-Origin") is None


def test_a_cloud_starts_within_three_seconds_of_processor_time(tmp_path):
    handle = lifecycle.start(lifecycle.Settings(tmp_path))
    times = psutil.Process(handle.pid).cpu_times()
    handle.stop()
    assert times.user + times.system < 3


def test_one_folder_has_one_cloud(fresh_cloud):
    with pytest.raises(UserError, match=f"already has a local cloud, process {fresh_cloud.handle.pid}"):
        lifecycle.start(lifecycle.Settings(fresh_cloud.home))
    assert fresh_cloud.handle.status()["ready"] is True


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 cannot be used: Address already in use"):
            lifecycle.start(lifecycle.Settings(tmp_path, port))


def test_the_clock_may_begin_in_the_past(tmp_path):
    begin = "2013-01-01T00:00:00+00:00"
    settings = lifecycle.Settings(tmp_path, begin=lifecycle.datetime.fromisoformat(begin))
    handle = lifecycle.start(settings)
    try:
        assert handle.status()["clock"].startswith("2013-01-01T00:00")
    finally:
        handle.stop()


def test_settling_past_its_timeout_names_what_is_under_way(cloud):
    deadline = time.monotonic()
    cloud.settle(0)
    assert time.monotonic() - deadline < 5
