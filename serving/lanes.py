"""Threads for what takes long, so that the event loop, and with it `/ping`, never waits.

A lane is one thread with a bounded queue: what is scored and what is loaded do not wait for each other.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Final

from serving.message import Request, Response

LARGE_BODY_BYTES: Final = 32_768
"""From here a body is parsed and scored on a lane."""
MAX_WAITING: Final = 16
"""So many requests a lane, one answered and the others waiting; more are told to come back."""


class Work(Enum):
    """Kinds of work that are each given a lane."""

    SCORING = "scoring"
    LOADING = "loading"


class Lane:
    """Answers requests in their order on a thread of its own."""

    def __init__(self, work: Work) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=work.value)
        self._under_way = 0

    @property
    def is_full(self) -> bool:
        """Whether a further request must come back later."""
        return self._under_way >= MAX_WAITING

    def answer(
        self, respond: Callable[[Request], Response], request: Request, answered: Callable[[Response], None]
    ) -> None:
        """Answer a request on the thread; `answered` is called on the event loop."""
        self._under_way += 1

        def done(future: "asyncio.Future[Response]") -> None:
            self._under_way -= 1
            if not future.cancelled():
                answered(future.result())

        asyncio.get_running_loop().run_in_executor(self._executor, respond, request).add_done_callback(done)

    def close(self) -> None:
        """Begin nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
