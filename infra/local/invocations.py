"""InvokeEndpoint: from a request on AWS's API to a serving process and back."""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.datastructures import EnvironHeaders

from infra.local.capture import Message
from infra.local.cloud import LocalCloud
from infra.local.endpoint_metrics import EndpointMetrics, Invocation
from infra.local.fleet import Fleet, RetiredError, Variant
from infra.local.serving_process import Answer, NotAnsweredError
from serving.contract import CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER, MAX_BODY_BYTES

TARGET_VARIANT_HEADER = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT_HEADER = "x-Amzn-Invoked-Production-Variant"
UNSUPPORTED_HEADERS = ("X-Amzn-SageMaker-Target-Model", "X-Amzn-SageMaker-Inference-Component")
PASSED_HEADERS = ("Content-Type", "Accept", CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER)
BINARY = "application/octet-stream"
Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class InvocationError(Exception):
    """An answer other than the container's."""

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:  # noqa: ANN401
        super().__init__(message)
        self.response: Response = (
            status,
            {"x-amzn-errortype": code, "Content-Type": "application/json"},
            json.dumps({"Message": message, **members}).encode(),
        )


UNSUPPORTED_INVOCATION = InvocationError(
    HTTPStatus.BAD_REQUEST,
    "UnsupportedOperation",
    "The local cloud does not support asynchronous or streamed invocations.",
)


class Invocations:
    """Answers InvokeEndpoint."""

    def __init__(self, cloud: LocalCloud, live_fleet: Callable[[str], Fleet | None], metrics: EndpointMetrics) -> None:
        self._cloud = cloud
        self._live_fleet = live_fleet
        self._metrics = metrics

    def route(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes] | None:
        """Answer a request on sagemaker-runtime; None if it is on another service."""
        path = environ["PATH_INFO"].split("/")
        if path[1] != "endpoints" or "/sagemaker/aws4_request" not in environ.get("HTTP_AUTHORIZATION", ""):
            return None
        if path[3:] == ["invocations"]:
            status, headers, body = self.invoke(path[2], EnvironHeaders(environ), environ["wsgi.input"].read())
        else:
            status, headers, body = UNSUPPORTED_INVOCATION.response
        start_response(f"{status:d} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]

    def invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request as AWS would."""
        began = time.perf_counter()
        try:
            _check(headers, body)
            fleet, variant, answer, model_seconds = self._ask(endpoint, headers, body)
        except InvocationError as error:
            return error.response
        overhead_seconds = time.perf_counter() - began - model_seconds
        self._metrics.note(
            endpoint, variant.name, Invocation(answer.status, model_seconds, overhead_seconds, variant.instances)
        )
        if answer.status // 100 != HTTPStatus.OK // 100:
            return self._model_error(endpoint, answer.status, answer.body).response
        content_type = answer.headers.get("Content-Type", BINARY)
        if fleet.capture:
            request = Message(headers.get("Content-Type") or BINARY, body)
            inference_id = headers.get(INFERENCE_ID_HEADER)
            fleet.capture.note(variant.name, request, Message(content_type, answer.body), inference_id)
        returned = {"Content-Type": content_type, INVOKED_VARIANT_HEADER: variant.name}
        if attributes := answer.headers.get(CUSTOM_ATTRIBUTES_HEADER):
            returned[CUSTOM_ATTRIBUTES_HEADER] = attributes
        return HTTPStatus.OK, returned, answer.body

    def _ask(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> tuple[Fleet, Variant, Answer, float]:
        passed = {name: headers[name] for name in PASSED_HEADERS if headers.get(name)}
        while True:  # until asked of a fleet that an update has not just retired
            fleet = self._live_fleet(endpoint)
            if fleet is None:
                message = f"Endpoint {endpoint} of account {self._cloud.account} not found."
                raise InvocationError(HTTPStatus.BAD_REQUEST, "ValidationError", message)
            variant = _choose(fleet, headers.get(TARGET_VARIANT_HEADER))
            asked = time.perf_counter()
            try:
                answer = variant.answer(body, passed)
            except RetiredError:
                continue
            except (NotAnsweredError, TimeoutError) as error:
                raise self._unanswered(endpoint, variant, time.perf_counter() - asked, error) from error
            return fleet, variant, answer, time.perf_counter() - asked

    def _unanswered(self, endpoint: str, variant: Variant, seconds: float, error: Exception) -> InvocationError:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        self._metrics.note(endpoint, variant.name, Invocation(status, seconds, 0.0, variant.instances))
        return self._model_error(endpoint, 0, f"no answer from the container: {error}".encode())

    def _model_error(self, endpoint: str, status: int, body: bytes) -> InvocationError:
        region, account = self._cloud.region, self._cloud.account
        said = body.decode(errors="replace")
        kind = "client" if status // 100 * 100 == HTTPStatus.BAD_REQUEST else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return InvocationError(
            HTTPStatus.FAILED_DEPENDENCY,
            "ModelError",
            f'Received {kind} error ({status}) from primary with message "{said}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
            f" in account {account} for more information.",
            OriginalMessage=said,
            OriginalStatusCode=status,
            LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        )


def _check(headers: Mapping[str, str], body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        message = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
        raise InvocationError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "413", message)
    for name in UNSUPPORTED_HEADERS:
        if headers.get(name):
            message = f"The local cloud does not support the header {name}."
            raise InvocationError(HTTPStatus.BAD_REQUEST, "UnsupportedOperation", message)


def _choose(fleet: Fleet, target: str | None) -> Variant:
    try:
        return fleet.choose(target)
    except KeyError as error:
        message = f"Variant {target} not found for Endpoint; it has {', '.join(fleet.variants)}."
        raise InvocationError(HTTPStatus.BAD_REQUEST, "ValidationError", message) from error
