"""From an endpoint's name to an answer: which fleet, which variant, and AWS's errors for what goes wrong on the way."""

import json
import time
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any, Protocol

from infra.local.cloud import LocalCloud
from infra.local.endpoints.exchange import Answer, Request
from infra.local.endpoints.fleet import Fleet
from infra.local.endpoints.instance import MisdirectedError
from infra.local.endpoints.serving_process import NotAnsweredError
from infra.local.endpoints.variant import RetiredError, ThrottledError, Variant
from infra.local.execution_role import ExecutionRole
from infra.local.validation import Json

Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class InvocationError(Exception):
    """An answer other than the container's."""

    def __init__(self, status: int, code: str, message: str | None, **members: Any) -> None:  # noqa: ANN401
        super().__init__(message)
        self.code = code
        self.response: Response = (
            status,
            {"x-amzn-errortype": code, "Content-Type": "application/json"},
            json.dumps({"Message": message, **members}).encode(),
        )


@dataclass(frozen=True)
class Outcome:
    """What came of asking: an answer, though it may be an error, or none (status 0)."""

    fleet: Fleet
    variant: Variant
    answer: Answer
    model_seconds: float

    @property
    def status(self) -> int:
        """What the metrics count."""
        return self.answer.status or HTTPStatus.INTERNAL_SERVER_ERROR


class Fleets(Protocol):
    """Whoever knows what endpoints have behind them."""

    def serving_fleet(self, name: str) -> Fleet | None:
        """What an endpoint serves with; during an update, what it did before."""

    def next_fleet(self, name: str) -> Fleet | None:
        """What is to answer an endpoint's next request: during an update each gets its share."""


class Dispatcher:
    """Asks endpoints."""

    def __init__(self, cloud: LocalCloud, fleets: Fleets) -> None:
        self._cloud = cloud
        self._fleets = fleets

    def role(self, endpoint: str) -> ExecutionRole:
        """The role of the model that the endpoint serves.

        Raises:
            InvocationError: there is no such endpoint, or it serves nothing yet.
        """
        return self._found(endpoint, self._fleets.serving_fleet(endpoint)).role

    def config(self, endpoint: str) -> Json:
        """The configuration that the endpoint serves.

        Raises:
            InvocationError: there is no such endpoint, or it serves nothing yet.
        """
        return self._found(endpoint, self._fleets.serving_fleet(endpoint)).config

    def ask(
        self, endpoint: str, request: Request, target_variant: str | None = None, *, asynchronously: bool = False
    ) -> Outcome:
        """Have the endpoint's fleet answer, or, if an update retires that fleet just now, the one after it.

        Raises:
            InvocationError: nothing was asked.
            NoCapacityError: there is no instance to ask.
        """
        while True:
            fleet = self._found(endpoint, self._fleets.next_fleet(endpoint))
            if fleet.is_asynchronous != asynchronously:
                raise invalid(f"Endpoint {endpoint} is asynchronous: use InvokeEndpointAsync.")
            variant = _choose(fleet, target_variant)
            if not asynchronously:
                _check_size(variant, request)
            try:
                return ask(fleet, variant, request)
            except RetiredError:
                continue
            except ThrottledError as error:
                raise InvocationError(HTTPStatus.BAD_REQUEST, "ThrottlingException", None) from error
            except MisdirectedError as error:
                raise invalid(f"{error}.") from error

    def _found(self, endpoint: str, fleet: Fleet | None) -> Fleet:
        if fleet is None:
            raise invalid(f"Endpoint {endpoint} of account {self._cloud.account} not found.")
        return fleet

    def model_error(self, endpoint: str, answer: Answer) -> InvocationError:
        """AWS's error for an answer that is one."""
        region, account = self._cloud.region, self._cloud.account
        said = answer.body.decode(errors="replace")
        kind = "client" if answer.status // 100 * 100 == HTTPStatus.BAD_REQUEST else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return InvocationError(
            HTTPStatus.FAILED_DEPENDENCY,
            "ModelError",
            f'Received {kind} error ({answer.status}) from {answer.container} with message "{said}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
            f" in account {account} for more information.",
            OriginalMessage=said,
            OriginalStatusCode=answer.status,
            LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        )


def ask(fleet: Fleet, variant: Variant, request: Request) -> Outcome:
    """Have a variant answer.

    Raises:
        RetiredError: its fleet has been retired.
        ThrottledError: it answers as many requests as it may.
        NoCapacityError: it has no instance.
        MisdirectedError: the request is for a container or model that there is not.
    """
    began = time.perf_counter()
    try:
        answer = variant.answer(request)
    except (NotAnsweredError, TimeoutError) as error:
        answer = Answer(0, Message(), f"no answer from the container: {error}".encode())
    return Outcome(fleet, variant, answer, time.perf_counter() - began)


def invalid(message: str) -> InvocationError:
    """AWS's error for a request that it does not take."""
    return InvocationError(HTTPStatus.BAD_REQUEST, "ValidationError", message)


def unsupported(what: str) -> InvocationError:
    """The error for what AWS would do and the local cloud cannot."""
    return InvocationError(HTTPStatus.BAD_REQUEST, "UnsupportedOperation", f"The local cloud does not support {what}.")


def _check_size(variant: Variant, request: Request) -> None:
    if len(request.body) > variant.max_body_bytes:
        message = f"HTTP content length exceeded {variant.max_body_bytes} bytes."
        raise InvocationError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "413", message)


def _choose(fleet: Fleet, target: str | None) -> Variant:
    try:
        return fleet.choose(target)
    except KeyError as error:
        raise invalid(f"Variant {target} not found for Endpoint; it has {', '.join(fleet.variants)}.") from error
