"""Counts that all workers share: Prometheus's text for `/metrics`, CloudWatch's embedded metrics for the log.

Each worker adds to a row of its own in memory that the workers' parent made, so nobody waits for a lock; a worker that
is replaced leaves its row to the next one, so counts never fall.
Sources: https://prometheus.io/docs/instrumenting/exposition_formats/
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import ctypes
import mmap
import time
from bisect import bisect_left
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from serving.contract import METRIC_NAMESPACE
from serving.message import Response

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the histogram's buckets."""
_CODES: Final = {status.value: slot for slot, status in enumerate(HTTPStatus)}
_ROWS: Final = len(_CODES)
_UNKNOWN: Final = _ROWS + 1
_TIME: Final = _ROWS + 2
_BUCKETS: Final = _ROWS + 3
_DROPPED: Final = _BUCKETS + len(SECONDS) + 1
_SLOTS: Final = _DROPPED + 1
_BYTES: Final = 8
_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400


class Metrics:
    """Counters of one worker, and sums over all."""

    def __init__(self, memory: mmap.mmap | None = None, worker: int = 0) -> None:
        """Count as `worker` in memory from `shared_memory`; alone in memory of its own without."""
        self._all = memoryview(memory or shared_memory(1)).cast("d")
        self._own = self._all[worker * _SLOTS : (worker + 1) * _SLOTS]
        self._reported = list(self._own)

    def count(self, response: Response) -> None:
        """Count an answer; its rows, unknown categories and milliseconds are among its facts."""
        own, facts = self._own, response.facts
        own[_CODES[response.status]] += 1.0
        if rows := facts.get("rows"):
            seconds = facts["milliseconds"] / 1000.0  # type: ignore[operator] # the application's own fact
            own[_ROWS] += rows  # type: ignore[operator] # likewise
            own[_TIME] += seconds
            own[_BUCKETS + bisect_left(SECONDS, seconds)] += 1.0
            if unknown := facts.get("unknown_categories"):
                own[_UNKNOWN] += sum(unknown.values())  # type: ignore[attr-defined] # likewise

    @property
    def addresses(self) -> tuple[int, int, int, int]:
        """Where compiled code counts: answers with scores, their rows, their seconds, and the first of the buckets."""
        first = ctypes.addressof(ctypes.c_double.from_buffer(self._own))
        answered, rows, seconds, buckets = (
            first + slot * _BYTES for slot in (_CODES[HTTPStatus.OK], _ROWS, _TIME, _BUCKETS)
        )
        return answered, rows, seconds, buckets

    def count_dropped_line(self) -> None:
        """Count a line of the log that nobody was there to read."""
        self._own[_DROPPED] += 1.0

    def prometheus(self, model: str, evaluator: str) -> bytes:
        """Sums over all workers, in Prometheus's text format."""
        lines = (line for lines in (_about(model, evaluator), self._counters(), self._histogram()) for line in lines)
        return ("\n".join(lines) + "\n").encode()

    def embedded(self, model: str) -> dict[str, Any] | None:
        """This worker's counts since the last call as a CloudWatch embedded metric; None if nothing was asked."""
        now = list(self._own)
        new = [after - before for after, before in zip(now, self._reported, strict=True)]
        self._reported = now
        values = {
            "Requests": sum(new[:_ROWS]),
            "Rows": new[_ROWS],
            "UnknownCategories": new[_UNKNOWN],
            "ClientErrors": sum(new[slot] for code, slot in _CODES.items() if _CLIENT_ERROR <= code < _SERVER_ERROR),
            "ServerErrors": sum(new[slot] for code, slot in _CODES.items() if code >= _SERVER_ERROR),
        }
        if not values["Requests"]:
            return None
        definitions = [{"Name": name, "Unit": "Count"} for name in values]
        directive = {"Namespace": METRIC_NAMESPACE, "Dimensions": [["Model"]], "Metrics": definitions}
        header = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        return {"_aws": header, "Model": model, **values}

    def _sum(self, slot: int) -> float:
        return sum(self._all[slot::_SLOTS])

    def _counters(self) -> Iterator[str]:
        yield from _heading("sagestack_requests_total", "counter", "Requests answered, by HTTP status.")
        for code, slot in _CODES.items():
            if total := self._sum(slot):
                yield f'sagestack_requests_total{{code="{code}"}} {total:.0f}'
        yield from _heading("sagestack_rows_total", "counter", "Rows scored.")
        yield f"sagestack_rows_total {self._sum(_ROWS):.0f}"
        yield from _heading("sagestack_unknown_categories_total", "counter", "Values of no category seen in training.")
        yield f"sagestack_unknown_categories_total {self._sum(_UNKNOWN):.0f}"
        yield from _heading("sagestack_log_lines_dropped_total", "counter", "Log lines dropped, for want of a reader.")
        yield f"sagestack_log_lines_dropped_total {self._sum(_DROPPED):.0f}"

    def _histogram(self) -> Iterator[str]:
        name = "sagestack_invocation_seconds"
        yield from _heading(name, "histogram", "From a complete request to its scores.")
        total = 0.0
        for slot, bound in enumerate((*SECONDS, "+Inf")):
            total += self._sum(_BUCKETS + slot)
            yield f'{name}_bucket{{le="{bound}"}} {total:.0f}'
        yield f"{name}_sum {self._sum(_TIME)!r}"
        yield f"{name}_count {total:.0f}"


def shared_memory(workers: int) -> mmap.mmap:
    """Memory for so many workers' counts, shared with every process that is forked from this one."""
    return mmap.mmap(-1, workers * _SLOTS * _BYTES)


def _about(model: str, evaluator: str) -> Iterator[str]:
    escaped = model.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    yield from _heading("sagestack_model_info", "gauge", "The model that is served, and what walks its trees.")
    yield f'sagestack_model_info{{model="{escaped}",evaluator="{evaluator}"}} 1'


def _heading(name: str, kind: str, help_line: str) -> Iterator[str]:
    yield f"# HELP {name} {help_line}"
    yield f"# TYPE {name} {kind}"
