"""The local cloud's WSGI application: the control API beside moto's, and AWS errors for what neither can do."""

import logging
from collections.abc import Iterable
from typing import Any

from moto.moto_server import werkzeug_app

from infra.local import control
from infra.local.cloud import LocalCloud
from infra.local.unsupported import (
    INTERNAL,
    UNSUPPORTED,
    Environ,
    Headers,
    StartResponse,
    error_response,
    internal_message,
    refused_service,
)

log = logging.getLogger(__name__)


class Application:
    """Routes a request to the control API or to AWS's."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._control = control.Control(cloud)
        werkzeug_app.DISABLE_GLOBAL_CORS = True  # no web page has any business here
        self._aws = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"].startswith(control.PREFIX):
            return self._control(environ, start_response)
        if service := refused_service(environ):
            message = f"The local cloud does not offer the service {service}."
            return error_response(environ, start_response, UNSUPPORTED, message)
        return self._call_aws(environ, start_response)

    def _call_aws(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []
        operation = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        try:
            answer: Iterable[bytes] = self._aws(environ, lambda *args: started.append(args))
        except NotImplementedError:
            return _refuse(operation, environ, start_response)
        except Exception as error:
            log.exception("%s failed", operation)
            return error_response(environ, start_response, INTERNAL, internal_message(operation, error))
        status, headers, *_ = started[0]
        if _is_unrouted(status, headers):
            return _refuse(operation, environ, start_response)
        start_response(status, headers)
        return answer


def _is_unrouted(status: str, headers: Headers) -> bool:
    """Whether moto knows no such path, and Flask has answered in its place."""
    return status[:3] in {"404", "405"} and any(name == "Content-Type" and "html" in kind for name, kind in headers)


def _refuse(operation: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return error_response(environ, start_response, UNSUPPORTED, f"The local cloud does not support {operation}.")
