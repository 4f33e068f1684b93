"""What the server answers: `/ping` and `/invocations`. Pure: a request in, a response out."""

import time
import traceback
from functools import lru_cache
from typing import Final

import orjson

from serving.contract import CSV, INVOCATIONS_PATH, JSON, JSON_LINES, PING_PATH
from serving.core.errors import InputError
from serving.core.output import render
from serving.core.parsing import RowParser
from serving.core.predictor import Predictor
from serving.message import Request, Response, refusal

CONTENT_TYPES: Final = (CSV, JSON, JSON_LINES)
_PING: Final = PING_PATH.encode()
_INVOCATIONS: Final = INVOCATIONS_PATH.encode()
_METHODS: Final = {_PING: (b"GET", b"HEAD"), _INVOCATIONS: (b"POST",)}


class Application:
    """Answers requests for one model; `draining` turns `/ping` to 503 before the server ends."""

    def __init__(self, predictor: Predictor) -> None:
        self.draining = False
        self._predictor = predictor
        self._parser = RowParser(predictor.signature)

    @property
    def model(self) -> str:
        """The model's name."""
        return self._predictor.signature.model

    def respond(self, request: Request) -> Response:
        """The answer to a request; never raises."""
        started = time.perf_counter()
        response = self._safely(request)
        response.facts["milliseconds"] = round((time.perf_counter() - started) * 1000, 3)
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
        path = request.path
        if path not in _METHODS:
            return refusal(404, f"there is no such path: {PING_PATH} and {INVOCATIONS_PATH} are all there is")
        if request.method not in _METHODS[path]:
            allowed = b", ".join(_METHODS[path])
            return refusal(405, f"{path.decode()} takes {allowed.decode()}", headers=b"Allow: %s\r\n" % allowed)
        return self._invoke(request) if path == _INVOCATIONS else self._ping()

    def _ping(self) -> Response:
        if self.draining:
            return refusal(503, "the server is shutting down")
        return Response(200, orjson.dumps({"status": "ready", "model": self.model}))

    def _invoke(self, request: Request) -> Response:
        content_type = _content_type(request.content_type)
        if content_type is None:
            return refusal(415, f"the Content-Type must be one of {', '.join(CONTENT_TYPES)}")
        accepted = _accepted(request.accept, content_type)
        if accepted is None:
            return refusal(406, f"the Accept header must allow one of {', '.join(CONTENT_TYPES)}")
        rows = self._parser.parse(request.body, content_type)
        if len(rows) == 1:
            scores = [self._predictor.score_row(rows.values[0])]
        else:
            scores = self._predictor.score(rows.matrix).tolist()
        body = render(scores, self._predictor.label, accepted)
        return Response(200, body, accepted, facts={"rows": len(rows), "unknown_categories": rows.unknown})


@lru_cache(maxsize=64)
def _content_type(header: bytes) -> str | None:
    """The content type among ours, or None."""
    media_type = _media_type(header)
    return next((one for one in CONTENT_TYPES if one == media_type), None)


@lru_cache(maxsize=64)
def _accepted(header: bytes, content_type: str) -> str | None:
    """The first of ours that the Accept header names; anything goes: the request's own; None if none of ours does."""
    if not header:
        return content_type
    for one in header.split(b","):
        media_type = _media_type(one)
        if media_type in CONTENT_TYPES:
            return media_type
        if media_type in ("*/*", content_type.partition("/")[0] + "/*"):
            return content_type
    return None


def _media_type(header: bytes) -> str:
    return header.partition(b";")[0].strip().lower().decode("latin-1")
