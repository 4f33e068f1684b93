"""From an endpoint's name to an answer: which fleet, which variant, and AWS's errors for what goes wrong on the way."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.exchange import Answer, Request
from infra.local.fleet import Fleet
from infra.local.instance import UnknownContainerError
from infra.local.serving_process import NotAnsweredError
from infra.local.variant import NoCapacityError, RetiredError, Variant

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


class Dispatcher:
    """Asks endpoints."""

    def __init__(self, cloud: LocalCloud, live_fleet: Callable[[str], Fleet | None]) -> None:
        self._cloud = cloud
        self._live_fleet = live_fleet

    def fleet(self, endpoint: str) -> Fleet:
        """What answers the endpoint's next request.

        Raises:
            InvocationError: nothing does.
        """
        fleet = self._live_fleet(endpoint)
        if fleet is None:
            raise invalid(f"Endpoint {endpoint} of account {self._cloud.account} not found.")
        return fleet

    def ask(self, endpoint: str, request: Request, target_variant: str | None = None) -> Outcome:
        """Have the endpoint's fleet answer, or, if an update retires that fleet just now, the one after it.

        Raises:
            InvocationError: nothing was asked.
        """
        while True:
            fleet = self.fleet(endpoint)
            try:
                return ask(fleet, _choose(fleet, target_variant), request)
            except RetiredError:
                continue
            except UnknownContainerError as error:
                raise invalid(f"{error}.") from error
            except NoCapacityError as error:
                message = f"Endpoint {endpoint} has no instance to answer."
                raise InvocationError(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", message) from error

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
        NoCapacityError: it has no instance.
        UnknownContainerError: the request is for a container that there is not.
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


def _choose(fleet: Fleet, target: str | None) -> Variant:
    try:
        return fleet.choose(target)
    except KeyError as error:
        raise invalid(f"Variant {target} not found for Endpoint; it has {', '.join(fleet.variants)}.") from error
