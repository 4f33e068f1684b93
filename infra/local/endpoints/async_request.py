"""An asynchronous invocation: what was asked, where its answer goes, and what is told of it.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from infra.local.endpoints.exchange import Request
from infra.local.jobs.job import present
from infra.local.validation import Json, check
from serving.contract import CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER

DEFAULT_TTL_SECONDS: Final = 21_600
DEFAULT_TIMEOUT_SECONDS: Final = 900
HEADERS: Final = {
    "ContentType": "X-Amzn-SageMaker-Content-Type",
    "Accept": "X-Amzn-SageMaker-Accept",
    "CustomAttributes": CUSTOM_ATTRIBUTES_HEADER,
    "InferenceId": INFERENCE_ID_HEADER,
    "InputLocation": "X-Amzn-SageMaker-InputLocation",
    "RequestTTLSeconds": "X-Amzn-SageMaker-RequestTTLSeconds",
    "InvocationTimeoutSeconds": "X-Amzn-SageMaker-InvocationTimeoutSeconds",
    "S3OutputPathExtension": "X-Amzn-SageMaker-S3OutputPathExtension",
    "Filename": "X-Amzn-SageMaker-Filename",
}
NUMBERS: Final = ("RequestTTLSeconds", "InvocationTimeoutSeconds")
PASSED: Final = {"ContentType": "Content-Type", "Accept": "Accept", "CustomAttributes": CUSTOM_ATTRIBUTES_HEADER}


@dataclass(frozen=True)
class AsyncRequest:
    """One request in an endpoint's queue."""

    endpoint: str
    given: Json
    """InvokeEndpointAsync's members."""
    inference_id: str
    output_location: str
    failure_location: str | None
    received: datetime

    @classmethod
    def of(cls, endpoint: str, given: Json, output: Json, received: datetime) -> Self:
        """Give a request its id and its places in S3."""
        place = f"{uuid.uuid4()}"
        failures = output.get("S3FailurePath")
        return cls(
            endpoint,
            given,
            given.get("InferenceId", str(uuid.uuid4())),
            f"{output['S3OutputPath'].rstrip('/')}/{place}.out",
            f"{failures.rstrip('/')}/{place}-error.out" if failures else None,
            received,
        )

    @property
    def expires(self) -> datetime:
        """Until when it may wait."""
        return self.received + timedelta(seconds=self.given.get("RequestTTLSeconds", DEFAULT_TTL_SECONDS))

    def invocation(self, body: bytes) -> Request:
        """What the container is asked."""
        headers = {header: self.given[name] for name, header in PASSED.items() if name in self.given}
        headers[INFERENCE_ID_HEADER] = self.inference_id
        timeout = self.given.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS)
        return Request(body, headers, timeout_seconds=timeout)


@dataclass(frozen=True)
class Ending:
    """What became of a request."""

    location: str | None
    """Where the answer, or the container's error, lies."""
    content_type: str | None = None
    body: bytes = b""
    failure_reason: str | None = None

    def message(self, request: AsyncRequest, now: datetime, region: str, *, with_body: bool) -> Json:
        """AWS's message to the topic of successes or of errors."""
        response: Json = present(contentType=self.content_type)
        if self.location:
            response["outputLocation"] = self.location
        told: Json = {
            "awsRegion": region,
            "eventTime": _timestamp(now),
            "receivedTime": _timestamp(request.received),
            "invocationStatus": "Failed" if self.failure_reason else "Completed",
            "requestParameters": present(
                contentType=request.given.get("ContentType"),
                endpointName=request.endpoint,
                inputLocation=request.given["InputLocation"],
                customAttributes=request.given.get("CustomAttributes"),
            ),
            "responseParameters": response,
            "inferenceId": request.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if with_body:
            told["responseBody"] = {"content": base64.b64encode(self.body).decode(), "encoding": "BASE64"}
        return told | present(failureReason=self.failure_reason)


def read(endpoint: str, headers: Mapping[str, str]) -> Json:
    """InvokeEndpointAsync's members from its headers.

    Raises:
        ValidationException: AWS would not take them.
    """
    given: dict[str, Any] = {name: headers[header] for name, header in HEADERS.items() if headers.get(header)}
    for name in NUMBERS:
        if str(given.get(name, "")).isdecimal():
            given[name] = int(given[name])
    check("sagemaker-runtime", "InvokeEndpointAsync", given | {"EndpointName": endpoint})
    return given


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
