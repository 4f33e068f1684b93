import base64
import io
import json
import time
import zipfile
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError

SOURCE = """
import os, sys, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("called with", event)
    sys.stdout.flush()
    if "exit" in event:
        os._exit(3)
    if "raise" in event:
        raise ValueError(event["raise"])
    time.sleep(event.get("sleep", 0))
    return {"calls": calls, "name": context.function_name, "greeting": os.environ.get("GREETING")}
"""


def invoke(automation, name, event=None, **more):
    answer = automation.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    text = answer["Payload"].read()
    return answer, json.loads(text) if text else None


@pytest.fixture(scope="module")
def greeter(automation):
    automation.function("la-greeter", SOURCE, Environment={"Variables": {"GREETING": "hello"}}, Timeout=2)
    return "la-greeter"


def test_a_function_runs_its_own_code_with_its_environment_and_stays_warm(automation, greeter):
    first, payload = invoke(automation, greeter)
    assert (first["StatusCode"], first["ExecutedVersion"]) == (200, "$LATEST")
    assert payload == {"calls": 1, "name": "la-greeter", "greeting": "hello"}
    began = time.monotonic()
    assert invoke(automation, greeter)[1]["calls"] == 2
    assert time.monotonic() - began < 1


def test_an_exception_is_a_function_error_with_its_type_and_message(automation, greeter):
    answer, payload = invoke(automation, greeter, {"raise": "no luck"})
    assert answer["FunctionError"] == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no luck")
    assert any("in handler" in line for line in payload["stackTrace"])


def test_a_function_that_takes_too_long_is_stopped_and_the_next_call_starts_afresh(automation, greeter):
    answer, payload = invoke(automation, greeter, {"sleep": 10})
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 2.00 seconds" in payload["errorMessage"]
    assert invoke(automation, greeter)[1]["calls"] == 1


def test_a_function_that_ends_its_process_is_an_error_not_a_hang(automation, greeter):
    _, payload = invoke(automation, greeter, {"exit": True})
    assert payload["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in payload["errorMessage"]


def test_what_a_function_prints_is_in_its_log_and_in_the_tail(automation, greeter):
    answer, _ = invoke(automation, greeter, {"word": "marmalade"}, LogType="Tail")
    assert "marmalade" in base64.b64decode(answer["LogResult"]).decode()
    logged = automation.logged(greeter)
    assert "called with {'word': 'marmalade'}" in logged
    assert any(line.startswith("REPORT RequestId: ") for line in logged)


def test_new_code_and_new_configuration_take_effect(automation):
    automation.function("la-changing", SOURCE)
    invoke(automation, "la-changing")
    client = automation.client("lambda")
    client.update_function_configuration(FunctionName="la-changing", Environment={"Variables": {"GREETING": "servus"}})
    assert invoke(automation, "la-changing")[1]["greeting"] == "servus"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", "def handler(event, context):\n    return 'new'\n")
    client.update_function_code(FunctionName="la-changing", ZipFile=archive.getvalue())
    assert invoke(automation, "la-changing")[1] == "new"


def test_a_function_reaches_this_cloud_with_boto3_and_nothing_told(automation):
    queue = automation.queue("la-boto")
    source = """
import boto3
def handler(event, context):
    url = boto3.client("sqs").get_queue_url(QueueName="la-boto")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody='"from inside"')
"""
    automation.function("la-boto", source)
    assert "FunctionError" not in invoke(automation, "la-boto")[0]
    assert automation.bodies(queue) == ["from inside"]


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import nowhere_to_be_found", "main.handler", "Runtime.ImportModuleError"),
        ("x = 1", "main.handler", "Runtime.HandlerNotFound"),
        ("x = 1", "other.handler", "Runtime.ImportModuleError"),
        ("1 / 0", "main.handler", "ZeroDivisionError"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_why(automation, source, handler, kind):
    name = f"la-broken-{abs(hash((source, handler)))}"
    automation.function(name, source, Handler=handler)
    answer, payload = invoke(automation, name)
    assert (answer["FunctionError"], payload["errorType"]) == ("Unhandled", kind)


def test_an_asynchronous_invocation_is_accepted_at_once_and_a_dry_run_runs_nothing(automation, greeter):
    assert invoke(automation, greeter, {"word": "rhubarb"}, InvocationType="Event")[0]["StatusCode"] == 202
    assert invoke(automation, greeter, {"word": "turnip"}, InvocationType="DryRun")[0]["StatusCode"] == 204
    automation.settle()
    logged = automation.logged(greeter)
    assert "called with {'word': 'rhubarb'}" in logged
    assert "called with {'word': 'turnip'}" not in logged


def test_reserved_concurrency_serialises_events_and_throttles_calls(automation):
    source = """
import time
def handler(event, context):
    began = time.time()
    time.sleep(0.2)
    print("span", began, time.time())
"""
    automation.function("la-single", source)
    client = automation.client("lambda")
    client.put_function_concurrency(FunctionName="la-single", ReservedConcurrentExecutions=1)
    for _ in range(3):
        invoke(automation, "la-single", InvocationType="Event")
    automation.settle()
    spans = sorted(tuple(map(float, line.split()[1:])) for line in automation.logged("la-single") if "span" in line)
    assert len(spans) == 3
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))
    client.put_function_concurrency(FunctionName="la-single", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke(automation, "la-single")


def test_invocations_and_errors_are_metrics(automation):
    automation.function("la-metrics", SOURCE)
    invoke(automation, "la-metrics")
    invoke(automation, "la-metrics", {"raise": "x"})
    now = automation.now().timestamp()
    window = {"StartTime": now - 3600, "EndTime": now + 60, "Period": 7200, "Statistics": ["Sum"]}
    dimensions = [{"Name": "FunctionName", "Value": "la-metrics"}]
    found = {
        name: automation.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=name, Dimensions=dimensions, **window
        )["Datapoints"][0]["Sum"]
        for name in ("Invocations", "Errors")
    }
    assert found == {"Invocations": 2.0, "Errors": 1.0}


def test_a_runtime_other_than_python_is_refused_by_name(automation):
    automation.function("la-node", SOURCE, Runtime="nodejs22.x")
    with pytest.raises(ClientError, match=r"runs functions of Python .* la-node is nodejs22\.x"):
        invoke(automation, "la-node")


def test_a_body_that_is_no_json_is_refused(automation, greeter):
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        automation.client("lambda").invoke(FunctionName=greeter, Payload=b"{not json")
