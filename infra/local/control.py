"""The local cloud's control API, on the cloud's own port: what is under way, what time it is, moving the clock.

`GET /_sagestack/status`, `POST /_sagestack/clock` with `{"to": "2013-05-01T00:00:00Z"}` or `{"by_seconds": 3600}`,
`POST /_sagestack/settle` with `{"timeout_seconds": 600}`. Answers and errors (`{"error": "…"}`) are JSON.
"""

import json
import logging
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from infra.local.cloud import LocalCloud
from infra.local.unsupported import Environ, StartResponse

log = logging.getLogger(__name__)

PREFIX: Final = "/_sagestack/"
SETTLE_SECONDS: Final = 600.0
Json = dict[str, Any]


class Control:
    """A WSGI application for the paths below `PREFIX`."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._routes = {
            ("GET", "status"): lambda _: self.status(),
            ("POST", "clock"): self.move_clock,
            ("POST", "settle"): self.settle,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, answer = self._answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def status(self) -> Json:
        """What a person or a script asks first."""
        sagemaker = self._cloud.client("sagemaker")
        jobs = (
            (sagemaker.list_training_jobs, "TrainingJobSummaries"),
            (sagemaker.list_processing_jobs, "ProcessingJobSummaries"),
        )
        return {
            "ready": True,
            "version": _version(),
            "pid": os.getpid(),
            "home": str(self._cloud.home),
            "endpoint_url": self._cloud.endpoint_url,
            "clock": self._now(),
            "under_way": self._cloud.under_way(),
            "endpoints": len(sagemaker.list_endpoints()["Endpoints"]),
            "jobs_in_progress": sum(len(list_jobs(StatusEquals="InProgress")[kind]) for list_jobs, kind in jobs),
        }

    def move_clock(self, body: Json) -> Json:
        """Advance the clock, firing what is due on the way and letting each thing it begins end."""
        self._cloud.clock.advance(self._target(body), self._cloud.settle)
        self._cloud.settle()
        return {"clock": self._now()}

    def settle(self, body: Json) -> Json:
        """Wait until nothing is under way."""
        timeout = body.get("timeout_seconds", SETTLE_SECONDS)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout < 0:
            raise ValueError(f"timeout_seconds is {timeout!r}: give a number of seconds, zero or more")
        self._cloud.settle(timeout)
        return {"clock": self._now()}

    def _answer(self, environ: Environ) -> tuple[str, Json]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX)
        handler = self._routes.get((method, path))
        if handler is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in self._routes)
            return "404 Not Found", {"error": f"there is no {method} {PREFIX}{path}; there are {known}"}
        try:
            return "200 OK", handler(_body(environ))
        except ValueError as error:
            return "400 Bad Request", {"error": str(error)}
        except TimeoutError as error:
            return "504 Gateway Timeout", {"error": str(error)}
        except Exception as error:
            log.exception("%s %s failed", method, path)
            return "500 Internal Server Error", {"error": f"{type(error).__name__}: {error}; its log has the traceback"}

    def _target(self, body: Json) -> datetime:
        if set(body) == {"to"} and isinstance(body["to"], str):
            to = datetime.fromisoformat(body["to"])
            if to.tzinfo is None:
                raise ValueError(f"to is {body['to']}, a time of no time zone: add Z for UTC")
            return to
        by = body.get("by_seconds")
        if set(body) == {"by_seconds"} and isinstance(by, int | float) and not isinstance(by, bool):
            return self._cloud.clock.now() + timedelta(seconds=by)
        raise ValueError('say {"to": "2013-05-01T00:00:00Z"} or {"by_seconds": 3600}')

    def _now(self) -> str:
        return self._cloud.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _version() -> str:
    try:
        return version("sagestack")
    except PackageNotFoundError:
        return "not installed: run from its folder"


def _body(environ: Environ) -> Json:
    text = environ["wsgi.input"].read()
    try:
        body = json.loads(text or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - the caller's value, not the code's type
    return body
