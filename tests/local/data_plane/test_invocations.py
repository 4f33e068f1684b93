import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError


def test_headers_reach_the_container_and_custom_attributes_come_back(live):
    answer = live.invoke(
        b"{}", ContentType="application/json", Accept="text/csv", CustomAttributes="trace=7", InferenceId="a-1"
    )
    headers = json.loads(answer["Body"].read())["headers"]
    assert (headers["Content-Type"], headers["Accept"]) == ("application/json", "text/csv")
    assert headers["X-Amzn-SageMaker-Inference-Id"] == "a-1"
    assert answer["CustomAttributes"] == "trace=7"


def test_an_error_of_the_container_is_a_model_error_with_what_it_said(live):
    with pytest.raises(ClientError) as caught:
        live.invoke(b"error 400")
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert 'Received client error (400) from primary with message "that is wrong"' in answer["Error"]["Message"]
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "that is wrong")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_a_body_above_six_mebibytes_is_refused(live):
    assert live.ask(b"x" * 6_291_456)["body"] == 6_291_456
    with pytest.raises(ClientError, match=r"\(413\).*exceeded 6291456 bytes"):
        live.invoke(b"x" * 7_000_000)


def test_a_killed_serving_process_is_replaced_and_the_next_request_answered(live):
    before = live.ask()["pid"]
    os.kill(before, signal.SIGKILL)
    assert live.ask()["pid"] != before


def test_a_container_that_dies_of_a_request_twice_is_a_model_error_and_serves_the_next(live):
    with pytest.raises(ClientError, match="no answer from the container"):
        live.cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=live.name, Body=b"crash")
    assert live.ask()["model"] == "v1"


def test_many_requests_at_once_survive_the_death_of_their_process(live):
    pid = live.ask()["pid"]
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(live.ask) for _ in range(200)]
        os.kill(pid, signal.SIGKILL)
        assert {answer.result()["model"] for answer in answers} == {"v1"}
