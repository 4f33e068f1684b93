"""What every mode of the server answers: `/ping`, `/metrics`, `/openapi.json`; and that no answer is a crash."""

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Final

from serving.contract import METRICS_PATH, OPENAPI_PATH, PING_PATH
from serving.core.errors import InputError
from serving.express import Express
from serving.lanes import LARGE_BODY_BYTES, Work
from serving.log import Log
from serving.message import Request, Response, refusal
from serving.metrics import Metrics

Page = Callable[[], Response]
_READ: Final = (b"GET", b"HEAD")
_EXPLANATIONS: Final = b"explanations"


class Pages(ABC):
    """Answers requests; pure: a request in, a response out. A mode adds its paths.

    Attributes:
        draining: set before the server ends: `/ping` is then 503.
        model: its name in logs and metrics.
        evaluator: what scores.
        warning: what to know about the model; None if there is nothing.
    """

    warning: str | None = None

    def __init__(self, model: str, evaluator: str, metrics: Metrics | None) -> None:
        self.draining = False
        self.model = model
        self.evaluator = evaluator
        self._metrics = metrics or Metrics()
        self._pages: dict[bytes, Page] = {
            PING_PATH.encode(): self._ping,
            METRICS_PATH.encode(): self._prometheus,
            OPENAPI_PATH.encode(): lambda: Response(200, self.description()),
        }

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """The answer to a request.

        Raises:
            InputError: what it asks is wrong.
        """

    @abstractmethod
    def ready(self) -> bytes:
        """What `/ping` says, as JSON."""

    @abstractmethod
    def description(self) -> bytes:
        """The OpenAPI description."""

    def express(self, metrics: Metrics, log: Log, request_ids: Iterator[bytes]) -> Express | None:  # noqa: ARG002
        """What answers plain invocations; None if all take the careful path."""
        return None

    def close(self) -> None:  # noqa: B027 - most modes hold nothing
        """The server ends: leave nothing behind."""

    def respond(self, request: Request) -> Response:
        """The answer to a request; never raises."""
        started = time.perf_counter()
        response = self._safely(request)
        response.facts["milliseconds"] = (time.perf_counter() - started) * 1000
        return response

    def long_work(self, request: Request) -> Work | None:
        """The kind of work, if it is long; explanations take a thousand times as long as scores."""
        if len(request.body) >= LARGE_BODY_BYTES or (b"?" in request.target and _EXPLANATIONS in request.target):
            return Work.SCORING
        return Work.SCORING if _EXPLANATIONS in request.custom_attributes else None

    def page(self, request: Request, path: bytes, others: str) -> Response:
        """The answer of a page, or that there is none; `others` are the mode's own paths."""
        if path not in self._pages:
            known = [others, *(page.decode() for page in self._pages)]
            return refusal(404, f"there is no such path: {', '.join(known)} are all there is")
        return self._pages[path]() if request.method in _READ else wrong_method(path, b", ".join(_READ))

    def _safely(self, request: Request) -> Response:
        try:
            return self.answer(request)
        except InputError as error:
            return refusal(400, error.reason, error.row, error.field)
        except Exception:  # noqa: BLE001 - the last line of defence: the log has the traceback, the client no internals
            response = refusal(500, "internal error")
            response.facts["traceback"] = traceback.format_exc()
            return response

    def _ping(self) -> Response:
        return refusal(503, "the server is shutting down") if self.draining else Response(200, self.ready())

    def _prometheus(self) -> Response:
        body = self._metrics.prometheus(self.model, self.evaluator)
        return Response(200, body, "text/plain; version=0.0.4; charset=utf-8")


def wrong_method(path: bytes, allowed: bytes) -> Response:
    """The refusal of a method that a path does not take."""
    return refusal(405, f"{path.decode()} takes {allowed.decode()}", headers=b"Allow: %s\r\n" % allowed)
