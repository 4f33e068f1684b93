"""SageMaker's runtime API: which request is which invocation."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.datastructures import EnvironHeaders

from infra.local.endpoints.dispatch import InvocationError, Response, unsupported

Operation = Callable[[str, Mapping[str, str], bytes], Response]
"""From an endpoint's name, headers and body to the answer."""


class Runtime:
    """Answers requests on sagemaker-runtime, past moto: they come by the hundred a second."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        """Answer these operations, by the last segment of their path."""
        self._operations = operations

    def route(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes] | None:
        """Answer a request; None if it is on another service."""
        path = environ["PATH_INFO"].split("/")
        if path[1] != "endpoints" or "/sagemaker/aws4_request" not in environ.get("HTTP_AUTHORIZATION", ""):
            return None
        operation = self._operations.get("/".join(path[3:]), _refuse)
        try:
            status, headers, body = operation(path[2], EnvironHeaders(environ), environ["wsgi.input"].read())
        except InvocationError as error:
            status, headers, body = error.response
        start_response(f"{status:d} {HTTPStatus(status).phrase}", list(headers.items()))
        return [body]


def _refuse(_endpoint: str, _headers: Mapping[str, str], _body: bytes) -> Response:
    raise unsupported("streamed invocations")
