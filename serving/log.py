"""Structured logs: one JSON object a line on standard output."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from serving.message import Request, Response

SAMPLED_ONE_IN: Final = 100
"""One answered request in this many is logged; every refused one is."""
_STDOUT: Final = 1
_FIRST_ERROR: Final = 400
_SHOWN_CHARACTERS: Final = 200


class Log:
    """Writes events; never a request's data."""

    def __init__(self, write: Callable[[bytes], Any] | None = None) -> None:
        self._write = write or _to_stdout
        self.passing = 0
        """So many answered requests go by before one is logged."""

    def event(self, event: str, **facts: object) -> None:
        """Write one event with its facts."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write(
            orjson.dumps({"time": time, "event": event, **facts}, default=str, option=orjson.OPT_APPEND_NEWLINE)
        )

    def embedded(self, metric: dict[str, Any] | None) -> None:
        """Write an embedded metric, which CloudWatch reads where it stands in the log; nothing if there is none."""
        if metric:
            self._write(orjson.dumps(metric, option=orjson.OPT_APPEND_NEWLINE))

    def request(self, request: Request, response: Response) -> None:
        """Write what became of a request: of one in a hundred, the first among them, and of every one refused."""
        if response.status < _FIRST_ERROR and not response.notable:
            if self.passing:
                self.passing -= 1
                return
            self.passing = SAMPLED_ONE_IN - 1
        self.event(
            "request",
            method=_shown(request.method),
            path=_shown(request.path),
            status=response.status,
            bytes=len(request.body),
            request_id=_shown(request.request_id),
            inference_id=_shown(request.inference_id),
            **response.facts | _rounded(response.facts),
        )


def _rounded(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: round(value, 3) for name, value in facts.items() if isinstance(value, float)}


def _shown(value: bytes) -> str:
    return value[:_SHOWN_CHARACTERS].decode("latin-1")


def _to_stdout(line: bytes) -> None:
    with suppress(BrokenPipeError):  # that nobody reads the log any more is no reason to stop answering
        os.write(_STDOUT, line)
