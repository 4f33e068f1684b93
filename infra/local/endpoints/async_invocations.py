"""InvokeEndpointAsync: a queue an endpoint, worked off as far as its instances have room.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
"""

import json
import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final

from infra.local.cloud import Event, LocalCloud
from infra.local.endpoints.async_metrics import Waiting, publish
from infra.local.endpoints.async_request import HEADERS, AsyncRequest, read
from infra.local.endpoints.async_worker import AsyncWorker
from infra.local.endpoints.dispatch import Dispatcher, Fleets, InvocationError, Response, invalid, unsupported
from infra.local.endpoints.endpoint import EVENT
from infra.local.endpoints.fleet import Fleet
from infra.local.endpoints.variant import NoCapacityError
from infra.local.validation import ValidationException

log = logging.getLogger(__name__)

CONCURRENT_INVOCATIONS: Final = 4
"""Of one instance, unless MaxConcurrentInvocationsPerInstance says so; AWS chooses by itself."""
UNSUPPORTED: Final = ("S3OutputPathExtension", "Filename")
MINUTE: Final = timedelta(minutes=1)
QUIET: Final = timedelta(hours=1)
"""How long after its last request an endpoint's queue is reported on; AWS does for ever."""


@dataclass
class Backlog:
    """The requests of one endpoint."""

    waiting: deque[AsyncRequest] = field(default_factory=deque)
    in_hand: int = 0
    last_request: datetime | None = None
    is_reported: bool = False


class AsyncInvocations:
    """Takes asynchronous requests and sees to it that they are answered."""

    def __init__(self, cloud: LocalCloud, dispatcher: Dispatcher, fleets: Fleets) -> None:
        self._cloud = cloud
        self._dispatcher = dispatcher
        self._fleets = fleets
        self._worker = AsyncWorker(cloud, dispatcher)
        self._backlogs: dict[str, Backlog] = {}
        self._lock = threading.Lock()
        cloud.subscribe(self._note)

    def invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Put a request into the endpoint's queue.

        Raises:
            InvocationError: it is none that AWS takes.
        """
        request = self._request(endpoint, headers, body)
        with self._lock:
            backlog = self._backlogs.setdefault(endpoint, Backlog())
            backlog.waiting.append(request)
            backlog.last_request = request.received
            begins, backlog.is_reported = not backlog.is_reported, True
        if begins:
            self._report_next_minute(endpoint)
        self._work_off(endpoint)
        places = {"X-Amzn-SageMaker-OutputLocation": request.output_location, "Content-Type": "application/json"}
        if request.failure_location:
            places["X-Amzn-SageMaker-FailureLocation"] = request.failure_location
        return HTTPStatus.ACCEPTED, places, json.dumps({"InferenceId": request.inference_id}).encode()

    def _request(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> AsyncRequest:
        config = self._dispatcher.config(endpoint).get("AsyncInferenceConfig")
        if not config:
            raise invalid(f"Endpoint {endpoint} is not asynchronous: it has no AsyncInferenceConfig.")
        try:
            given = read(endpoint, headers)
        except ValidationException as error:
            raise invalid(str(error)) from error
        for name in UNSUPPORTED:
            if name in given:
                raise unsupported(f"the header {HEADERS[name]}")
        if body or "InputLocation" not in given:
            raise unsupported("asynchronous requests with a body; give an InputLocation")
        return AsyncRequest.of(endpoint, given, config["OutputConfig"], self._cloud.clock.now())

    def _work_off(self, endpoint: str) -> None:
        """Begin as many of the waiting requests as there is room for."""
        fleet, backlog = self._fleets.serving_fleet(endpoint), self._backlogs.get(endpoint)
        if backlog is None:
            return
        with self._lock:
            if fleet is None:
                self._backlogs.pop(endpoint, None)
                return
            free = _room(fleet) - backlog.in_hand
            begun = [backlog.waiting.popleft() for _ in range(min(free, len(backlog.waiting)))]
            backlog.in_hand += len(begun)
        for request in begun:
            self._cloud.start(f"asynchronous request {request.inference_id}", partial(self._answer, request))

    def _answer(self, request: AsyncRequest) -> None:
        backlog = self._backlogs.get(request.endpoint, Backlog())
        returned = False
        try:
            self._worker.answer(request)
        except NoCapacityError:
            returned = True
        except InvocationError as error:
            log.warning("request %s is lost with its endpoint: %s", request.inference_id, error)
        finally:
            with self._lock:
                backlog.in_hand -= 1
                if returned:
                    backlog.waiting.appendleft(request)
        if not returned:
            self._work_off(request.endpoint)

    def _note(self, event: Event) -> None:
        """Go on when an endpoint has got instances, or another fleet."""
        if event["detail-type"] == EVENT and event["detail"]["EndpointName"] in self._backlogs:
            self._work_off(event["detail"]["EndpointName"])

    def _report_next_minute(self, endpoint: str) -> None:
        minute = self._cloud.clock.now().replace(second=0, microsecond=0) + MINUTE
        self._cloud.clock.at(minute, lambda: self._report(endpoint, minute))

    def _report(self, endpoint: str, minute: datetime) -> None:
        fleet, backlog = self._fleets.serving_fleet(endpoint), self._backlogs.get(endpoint)
        if fleet is None or backlog is None:
            self._backlogs.pop(endpoint, None)
            return
        publish(self._cloud, {"EndpointName": endpoint}, minute, _waiting(fleet, backlog, minute))
        self._work_off(endpoint)
        assert backlog.last_request is not None  # noqa: S101 - a backlog begins with a request
        size = backlog.in_hand + len(backlog.waiting)
        if size or minute - backlog.last_request < QUIET:
            self._report_next_minute(endpoint)
        else:
            backlog.is_reported = False


def _room(fleet: Fleet) -> int:
    """How many requests a fleet takes at once."""
    client = fleet.config["AsyncInferenceConfig"].get("ClientConfig", {})
    each: int = client.get("MaxConcurrentInvocationsPerInstance", CONCURRENT_INVOCATIONS)
    return each * sum(variant.running for variant in fleet.variants.values())


def _waiting(fleet: Fleet, backlog: Backlog, now: datetime) -> Waiting:
    instances = sum(variant.instances for variant in fleet.variants.values())
    oldest = max((now - request.received).total_seconds() for request in backlog.waiting) if backlog.waiting else 0.0
    return Waiting(backlog.in_hand + len(backlog.waiting), instances, max(oldest, 0.0))
