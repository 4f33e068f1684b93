import base64

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from infra.local.clock import Clock
from infra.local.endpoints.capture import Capture, Exchange, Message


def test_captured_invocations_are_in_s3_in_awss_format_and_place(deployment):
    deployment.model()
    deployment.config(**deployment.capturing())
    deployment.create()
    deployment.invoke(b"1,2\n3,4", InferenceId="flight-7")
    with pytest.raises(ClientError):
        deployment.invoke(b"error 400")
    deployment.cloud.settle()
    (key,), (record,) = deployment.captured()
    now = deployment.cloud.now()
    assert f"/{deployment.name}/main/{now:%Y/%m/%d/%H}/" in key
    assert key.endswith(".jsonl")
    asked = record["captureData"]["endpointInput"]
    assert asked == {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n3,4", "encoding": "CSV"}
    assert record["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert record["eventMetadata"]["inferenceId"] == "flight-7"
    assert record["eventMetadata"]["inferenceTime"].startswith(f"{now:%Y-%m-%dT}")
    assert record["eventVersion"] == "0"


def test_what_is_no_declared_text_is_captured_in_base64(deployment):
    deployment.model()
    deployment.config(**deployment.capturing())
    deployment.create()
    deployment.invoke(b"\xff\x00", ContentType="application/x-image")
    deployment.invoke(b"\xff,1", ContentType="text/csv")
    deployment.cloud.settle()
    _, records = deployment.captured()
    inputs = [record["captureData"]["endpointInput"] for record in records]
    assert [i["encoding"] for i in inputs] == ["BASE64", "BASE64"]
    assert base64.b64decode(inputs[0]["data"]) == b"\xff\x00"


def test_nothing_captured_is_lost_when_the_endpoint_is_updated_or_deleted(deployment):
    deployment.model()
    deployment.model("v2")
    for version in ("v1", "v2"):
        deployment.config(version, **deployment.capturing())
    deployment.create()
    for _ in range(5):
        deployment.invoke()
    deployment.update("v2")
    for _ in range(5):
        deployment.invoke()
    deployment.sagemaker.delete_endpoint(EndpointName=deployment.name)
    deployment.cloud.settle()
    assert len(deployment.captured()[1]) == 10


@given(percent=st.integers(0, 100), requests=st.integers(1, 400))
def test_the_sample_is_exact_for_any_number_of_requests(percent, requests):
    class Quiet:
        clock = Clock()

    config = {"DestinationS3Uri": "s3://b/c", "InitialSamplingPercentage": percent, "CaptureOptions": []}
    capture = Capture(Quiet(), "endpoint", config, role=None)  # which is asked for when it writes
    message = Message("text/csv", b"1")
    for _ in range(requests):
        capture.note("main", message, message, Exchange("event"))
    lines = sum(len(batch.lines) for batch in capture._batches.values())
    assert lines == requests * percent // 100
