"""From a request to the call that it is: the service, the operation, its parameters."""

import re
from dataclasses import dataclass
from typing import Any, Final

from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

SIGNED: Final = re.compile(r"Credential=(?P<key>[^/]+)/[^/]+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
MODELS: Final = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's name of a service's model, where it is not the name that requests are signed for."""
RUNTIME_PATH: Final = "/endpoints/"
"""Requests on sagemaker-runtime are signed for sagemaker."""


@dataclass(frozen=True)
class ApiCall:
    """One operation of an AWS service."""

    service: str
    """By botocore's name."""
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Signature:
    """What a request is signed with, and for which service where."""

    key: str
    region: str
    service: str


def signature(environ: dict[str, Any]) -> Signature | None:
    """A request's signature; None if it is not signed."""
    found = SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    return Signature(**found.groupdict()) if found else None


def read(environ: dict[str, Any], signed_for: str) -> ApiCall | None:
    """The call that a request is; None if it is none that the service has, or cannot be read.

    The request's body can be read again afterwards.
    """
    try:
        return _read(environ, signed_for)
    except (HTTPException, NotImplementedError, RequestParserError, LookupError, TypeError, ValueError):
        return None
    finally:
        environ["wsgi.input"].seek(0)


def _read(environ: dict[str, Any], signed_for: str) -> ApiCall:
    is_runtime = signed_for == "sagemaker" and environ["PATH_INFO"].startswith(RUNTIME_PATH)
    service = "sagemaker-runtime" if is_runtime else MODELS.get(signed_for, signed_for)
    request = Request(environ)
    operation, in_path = get_service_router(service).match(request)
    model = get_service_model(service)
    protocol = determine_request_protocol(model, request.content_type)
    body = b"" if is_runtime else request.get_data()
    parsed = PROTOCOL_PARSERS[protocol](operation, map_type=dict).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    return ApiCall(service, operation.name, dict(parsed))
