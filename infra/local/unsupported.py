"""What the local cloud cannot do answers an AWS error that says so: never a silent success, never a bare 500.

Neither error is one that AWS's clients would try again: the answer would be the same.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from infra.local.cloud import LocalCloud

log = logging.getLogger(__name__)

UNSUPPORTED: Final = "UnsupportedOperation"
INTERNAL: Final = "InternalFailure"
SERVICES: Final = frozenset(
    {
        *("application-autoscaling", "cloudtrail", "dynamodb", "ec2", "ecr", "events", "iam", "kms", "lambda", "logs"),
        *("monitoring", "s3", "sagemaker", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts", "tagging"),
    }
)
"""Signing names of the services that behave as on AWS, as far as the stacks use them; moto's others only pretend to."""
SIGNED_FOR = re.compile(r"Credential=[^/,]+/[^/]+/[^/]+/([^/]+)/aws4_request")

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[[str, Headers], object]


class Refusal(ServiceException):  # type: ignore[misc] # moto has no types to follow
    """An AWS error of the local cloud's own.

    A class of ours, since moto looks up the errors of its own classes in the service that their module is named for.
    """


def install(_: LocalCloud) -> None:
    """Have moto's dispatch answer in the protocol of the request when an operation is missing or broken."""
    dispatch = BaseResponse.call_action

    def call_action(self: BaseResponse) -> Any:  # noqa: ANN401 - moto's response tuple
        try:
            answer = dispatch(self)
        except NotImplementedError:
            return _refuse(self)
        except Exception as error:
            log.exception("%s failed", _operation(self))
            return self.serialized(ActionResult(Refusal(INTERNAL, internal_message(_operation(self), error))))
        return answer if answer[0] != HTTPStatus.NOT_FOUND or self._get_action() else _refuse(self)

    BaseResponse.call_action = call_action


def refused_service(environ: Environ) -> str | None:
    """The service a request is signed for, if it is one that the local cloud does not offer."""
    signed = SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
    return signed[1] if signed and signed[1] not in SERVICES else None


def internal_message(operation: str, error: Exception) -> str:
    """What a client is told of a fault of the local cloud's own."""
    return f"The local cloud failed in {operation}: {type(error).__name__}: {error}. Its log has the traceback."


def error_response(
    environ: Environ, start_response: StartResponse, code: str, message: str, *, status: HTTPStatus | None = None
) -> Iterable[bytes]:
    """An AWS error outside moto's dispatch, in the form that the request's client can read."""
    if "/s3/" in environ.get("HTTP_AUTHORIZATION", "/s3/"):
        kind, body = "application/xml", f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    elif environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        kind = "text/xml"
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error></ErrorResponse>"
        )
    else:
        kind, body = "application/json", json.dumps({"__type": code, "message": message})
    if status is None:
        status = HTTPStatus.BAD_REQUEST if code == UNSUPPORTED else HTTPStatus.NOT_IMPLEMENTED
    start_response(f"{status:d} {status.phrase}", [("Content-Type", kind), ("x-amzn-ErrorType", code)])
    return [body.encode()]


def _operation(response: BaseResponse) -> str:
    action = response._get_action() or f"{response.method} {response.path}"  # noqa: SLF001 - moto's own method
    return f"{response.service_name}:{action}"


def _refuse(response: BaseResponse) -> Any:  # noqa: ANN401 - moto's response tuple
    message = f"The local cloud does not support {_operation(response)}."
    return response.serialized(ActionResult(Refusal(UNSUPPORTED, message)))
