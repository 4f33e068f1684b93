"""What the server answers, path by path. Pure: a request in, a response out."""

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from serving.contract import (
    EXECUTION_PARAMETERS_PATH,
    INVOCATIONS_PATH,
    MAX_BODY_BYTES,
    METRICS_PATH,
    OPENAPI_PATH,
    PING_PATH,
)
from serving.core.errors import InputError
from serving.core.predictor import Predictor
from serving.invocation import Invocations
from serving.message import Request, Response, refusal
from serving.metrics import Metrics

OPENAPI: Final = Path(__file__).with_name("openapi.json")
Page = Callable[[], Response]
_INVOCATIONS: Final = INVOCATIONS_PATH.encode()
_READ: Final = (b"GET", b"HEAD")
_MEBIBYTE: Final = 1_048_576


class Application:
    """Answers requests for one model; `draining` turns `/ping` to 503 before the server ends."""

    def __init__(self, predictor: Predictor, metrics: Metrics | None = None, workers: int = 1) -> None:
        self.draining = False
        self.model = predictor.signature.model
        self.evaluator = predictor.evaluator
        self.warning = predictor.warning
        self._metrics = metrics or Metrics()
        self._workers = workers
        self._invocations = Invocations(predictor)
        self._pages: dict[bytes, Page] = {
            PING_PATH.encode(): self._ping,
            EXECUTION_PARAMETERS_PATH.encode(): self._execution_parameters,
            METRICS_PATH.encode(): self._prometheus,
            OPENAPI_PATH.encode(): lambda: Response(200, OPENAPI.read_bytes()),
        }

    def respond(self, request: Request) -> Response:
        """The answer to a request; never raises."""
        started = time.perf_counter()
        response = self._safely(request)
        response.facts["milliseconds"] = (time.perf_counter() - started) * 1000
        return response

    def _safely(self, request: Request) -> Response:
        try:
            return self._respond(request)
        except InputError as error:
            return refusal(400, error.reason, error.row, error.field)
        except Exception:  # noqa: BLE001 - the last line of defence: the log has the traceback, the client no internals
            response = refusal(500, "internal error")
            response.facts["traceback"] = traceback.format_exc()
            return response

    def _respond(self, request: Request) -> Response:
        path = request.target if request.target == _INVOCATIONS else request.path
        if path == _INVOCATIONS:
            return self._invocations.answer(request) if request.method == b"POST" else _wrong_method(path, b"POST")
        if path not in self._pages:
            known = [INVOCATIONS_PATH, *(page.decode() for page in self._pages)]
            return refusal(404, f"there is no such path: {', '.join(known)} are all there is")
        return self._pages[path]() if request.method in _READ else _wrong_method(path, b", ".join(_READ))

    def _ping(self) -> Response:
        if self.draining:
            return refusal(503, "the server is shutting down")
        return Response(200, orjson.dumps({"status": "ready", "model": self.model}))

    def _execution_parameters(self) -> Response:
        parameters = {
            "MaxConcurrentTransforms": self._workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": MAX_BODY_BYTES // _MEBIBYTE,
        }
        return Response(200, orjson.dumps(parameters))

    def _prometheus(self) -> Response:
        body = self._metrics.prometheus(self.model, self.evaluator)
        return Response(200, body, "text/plain; version=0.0.4; charset=utf-8")


def _wrong_method(path: bytes, allowed: bytes) -> Response:
    return refusal(405, f"{path.decode()} takes {allowed.decode()}", headers=b"Allow: %s\r\n" % allowed)
