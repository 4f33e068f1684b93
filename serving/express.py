"""The express lane (`express.c`): plain invocations, each scored from its request's bytes by one compiled call.

A request is plain if it comes alone and whole, asks for nothing but scores, of rows that the compiled reader knows, and
says nothing that the lane does not know. All others, and one in a hundred for the log, take the careful path; what that
would answer to a plain one is the same, byte for byte.
"""

import ctypes
from collections.abc import Iterator
from typing import Final

from serving.contract import CSV, JSON
from serving.core.output import render
from serving.core.predictor import Predictor
from serving.core.text import ROWS_AT_ONCE
from serving.lanes import LARGE_BODY_BYTES
from serving.log import Log
from serving.message import echo, template
from serving.metrics import SECONDS, Metrics

MOST_ROWS: Final = 1024
_OK: Final = 200


class Lane(ctypes.Structure):
    """`express.c` says what the fields hold."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("read", "inputs", "sink")),
        ("most_body_bytes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("answered", "rows", "seconds", "buckets", "bounds")),
        ("bounds_count", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("content_type", "accept", "length", "named")),
        *((name, ctypes.c_int32) for name in ("request_id", "request_id_length")),
        *((name, ctypes.c_int32) for name in ("inference_id", "inference_id_length")),
    )


class Express:
    """Answers the plain invocations of one model; on one thread alone."""

    def __init__(self, predictor: Predictor, metrics: Metrics, log: Log, request_ids: Iterator[bytes]) -> None:
        """Begin.

        Raises:
            ValueError: the predictor's reader and trees are not compiled.
        """
        if predictor.compiled is None:
            raise ValueError("an express lane needs a compiled reader and compiled trees")
        reader, trees = predictor.compiled
        self._label = predictor.label
        self._log = log
        self._request_ids = request_ids
        self._rows = (ctypes.c_double * (ROWS_AT_ONCE * trees.features))()
        self._scores = (ctypes.c_double * MOST_ROWS)()
        self._bounds = (ctypes.c_double * len(SECONDS))(*SECONDS)
        self._kept = reader, trees, metrics, reader.sink(self._rows, self._scores, trees)
        model = reader.function, reader.inputs, ctypes.addressof(self._kept[-1]), LARGE_BODY_BYTES - 1
        self.lane = Lane(*model, *metrics.addresses, ctypes.addressof(self._bounds), len(SECONDS))
        self._score = reader.library.sagestack_express
        self._score.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64)
        self._score.restype = ctypes.c_int64
        self._address = ctypes.addressof(self.lane)
        self._out = [(content_type, template(_OK, content_type)) for content_type in (CSV, JSON)]

    def answer(self, data: bytes) -> bytes | None:
        """The answer to the one plain invocation that `data` is, head and all; None if it is anything else."""
        if not self._log.passing:
            return None
        rows = self._score(self._address, data, len(data))
        if not rows:
            return None
        self._log.passing -= 1
        lane = self.lane
        content_type, head = self._out[lane.accept]
        body = render(self._scores[:rows], self._label, content_type)
        request_id, echoed = self._named(data) if lane.named else (next(self._request_ids), b"")
        answer: bytes = head % (len(body), request_id, echoed, body)
        return answer

    def _named(self, data: bytes) -> tuple[bytes, bytes]:
        """The request's own id, or a new one, and the header that echoes its inference id."""
        lane = self.lane
        request_id = data[lane.request_id : lane.request_id + lane.request_id_length]
        inference_id = data[lane.inference_id : lane.inference_id + lane.inference_id_length]
        return request_id or next(self._request_ids), echo(inference_id)
