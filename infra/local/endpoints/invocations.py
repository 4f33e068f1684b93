"""InvokeEndpoint: from a request on AWS's API to a serving process and back."""

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus

from infra.local.cloud import LocalCloud
from infra.local.endpoints.capture import Exchange, Message
from infra.local.endpoints.configuration_metrics import ConfigurationMetrics
from infra.local.endpoints.container_latency import ContainerLatency
from infra.local.endpoints.dispatch import (
    Dispatcher,
    InvocationError,
    Outcome,
    Response,
    ask,
    unsupported,
)
from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.metrics import EndpointMetrics, Invocation
from infra.local.endpoints.shadow import INVOCATION_SOURCE
from infra.local.endpoints.variant import NoCapacityError, RetiredError, Variant
from serving.contract import CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER

TARGET_VARIANT_HEADER = "X-Amzn-SageMaker-Target-Variant"
TARGET_MODEL_HEADER = "X-Amzn-SageMaker-Target-Model"
TARGET_CONTAINER_HEADER = "X-Amzn-SageMaker-Target-Container-Hostname"
INVOKED_VARIANT_HEADER = "x-Amzn-Invoked-Production-Variant"
UNSUPPORTED_HEADERS = tuple(
    f"X-Amzn-SageMaker-{name}"
    for name in ("Inference-Component", "Enable-Explanations", "Session-Id", "Prefix-Aware-Id")
)
PASSED_HEADERS = ("Content-Type", "Accept", CUSTOM_ATTRIBUTES_HEADER, INFERENCE_ID_HEADER, TARGET_MODEL_HEADER)
BINARY = "application/octet-stream"


class Invocations:
    """Answers InvokeEndpoint."""

    def __init__(
        self,
        cloud: LocalCloud,
        dispatcher: Dispatcher,
        metrics: EndpointMetrics,
        by_configuration: ConfigurationMetrics,
    ) -> None:
        self._cloud = cloud
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._containers = ContainerLatency(cloud)
        self._by_configuration = by_configuration

    def invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request as AWS would.

        Raises:
            InvocationError: that is the answer.
        """
        began = time.perf_counter()
        _refuse_unsupported(headers)
        passed = {name: headers[name] for name in PASSED_HEADERS if headers.get(name)}
        request = Request(body, passed, headers.get(TARGET_MODEL_HEADER), headers.get(TARGET_CONTAINER_HEADER))
        outcome = self._ask(endpoint, request, headers.get(TARGET_VARIANT_HEADER))
        event_id = str(uuid.uuid4())
        for shadow in outcome.fleet.shadows:
            shadow.copy(self._cloud, lambda variant: self._ask_shadow(endpoint, variant, request, outcome, event_id))
        overhead_seconds = time.perf_counter() - began - outcome.model_seconds
        self._note(endpoint, outcome, overhead_seconds)
        if not outcome.answer.is_success:
            raise self._dispatcher.model_error(endpoint, outcome.answer)
        _capture(outcome, request, Exchange(event_id, headers.get(INFERENCE_ID_HEADER)))
        return _response(outcome.variant, outcome.answer)

    def _ask(self, endpoint: str, request: Request, target_variant: str | None) -> Outcome:
        try:
            return self._dispatcher.ask(endpoint, request, target_variant)
        except NoCapacityError as error:
            message = f"Endpoint {endpoint} has no instance to answer."
            raise InvocationError(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", message) from error

    def _note(self, endpoint: str, outcome: Outcome, overhead_seconds: float) -> None:
        invocation, configuration = Invocation.of(outcome, overhead_seconds), outcome.fleet.config["EndpointConfigName"]
        self._metrics.note(endpoint, outcome.variant.name, invocation)
        self._by_configuration.note(endpoint, outcome.variant.name, configuration, invocation)
        self._containers.note(endpoint, outcome.variant.name, outcome.answer.container_seconds)

    def _ask_shadow(  # noqa: PLR0917 - both sides of what is copied
        self, endpoint: str, variant: Variant, request: Request, production: Outcome, event_id: str
    ) -> None:
        try:
            outcome = ask(production.fleet, variant, request)
        except (RetiredError, NoCapacityError):
            return
        self._note(endpoint, outcome, 0.0)
        if outcome.answer.is_success:
            inference_id = request.headers.get(INFERENCE_ID_HEADER)
            _capture(outcome, request, Exchange(event_id, inference_id, INVOCATION_SOURCE))


def _capture(outcome: Outcome, request: Request, exchange: Exchange) -> None:
    if outcome.fleet.capture:
        asked = Message(request.headers.get("Content-Type") or BINARY, request.body)
        answered = Message(_content_type(outcome.answer), outcome.answer.body)
        outcome.fleet.capture.note(outcome.variant.name, asked, answered, exchange)


def _response(variant: Variant, answer: Answer) -> Response:
    returned = {"Content-Type": _content_type(answer), INVOKED_VARIANT_HEADER: variant.name}
    if attributes := answer.headers.get(CUSTOM_ATTRIBUTES_HEADER):
        returned[CUSTOM_ATTRIBUTES_HEADER] = attributes
    return HTTPStatus.OK, returned, answer.body


def _content_type(answer: Answer) -> str:
    return str(answer.headers.get("Content-Type", BINARY))


def _refuse_unsupported(headers: Mapping[str, str]) -> None:
    for name in UNSUPPORTED_HEADERS:
        if headers.get(name):
            raise unsupported(f"the header {name}")
