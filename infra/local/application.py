"""The local cloud's WSGI application: the control API beside moto's, and AWS errors for what neither can do."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, cast

from moto.moto_server import werkzeug_app

from infra.local import control
from infra.local.cloud import LocalCloud
from infra.local.identity.gate import Gate
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
        self._routes = cloud.routes
        self._control = control.Control(cloud)
        self._gate = Gate(cloud.authority)
        werkzeug_app.DISABLE_GLOBAL_CORS = True  # no web page has any business here
        self._moto = Dispatcher(werkzeug_app.create_backend_app)

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
            answer = self._answer(environ, lambda *args: started.append(args))
        except NotImplementedError:
            return _refuse(operation, environ, start_response)
        except Exception as error:
            log.exception("%s failed", operation)
            return error_response(environ, start_response, INTERNAL, internal_message(operation, error))
        status, headers, *_ = started[0]
        if environ["REQUEST_METHOD"] != "HEAD" and _is_unrouted(status, headers):  # only S3 has HEAD: all its paths
            return _refuse(operation, environ, start_response)
        start_response(status, headers)
        return answer

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if (refusal := self._gate.refusal(environ, start_response)) is not None:
            return refusal
        for route in self._routes:
            if (answer := route(environ, start_response)) is not None:
                return answer
        return cast("Iterable[bytes]", self._moto(environ, start_response))


class Dispatcher(werkzeug_app.DomainDispatcherApplication):  # type: ignore[misc] # moto is not typed for us
    """Moto's choice of a service, made once a host: moto lists the folders of all its services for every request."""

    def __init__(self, create_app: Callable[[str], Any]) -> None:
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's
        """The service that answers at `host`."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


def _is_unrouted(status: str, headers: Headers) -> bool:
    """Whether moto knows no such path, and Flask has answered in its place."""
    return status[:3] in {"404", "405"} and any(name == "Content-Type" and "html" in kind for name, kind in headers)


def _refuse(operation: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return error_response(environ, start_response, UNSUPPORTED, f"The local cloud does not support {operation}.")
