"""Lambda made real without containers: a function's own code runs, synchronously or not, with its retries.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

import json
import logging
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse

from infra.local.cloud import LocalCloud
from infra.local.events.caller import Caller
from infra.local.events.delivery import queue_url, send_to_queue
from infra.local.events.targets import Call
from infra.local.identity.authority import AccessDeniedError
from infra.local.lambdas.metrics import publish
from infra.local.lambdas.pool import LAMBDA, Pool, ThrottledError
from infra.local.lambdas.process import Answer, Code

logger = logging.getLogger(__name__)

RETRY_WAITS = (timedelta(minutes=1), timedelta(minutes=2))
LOG_TAIL_BYTES = 4096
# Taken once, so that a second cloud in the same process takes the first one's place.
_DELETE = LambdaBackend.delete_function


def install(cloud: LocalCloud) -> None:
    """Have Invoke, and whatever else in moto invokes a function, run it."""
    functions = Functions(cloud, Pool(cloud))

    def invoke(response: LambdaResponse) -> tuple[int, dict[str, str], bytes]:
        name = unquote(response.path.rsplit("/", 2)[-2])
        function = response.backend.get_function(name, response.querystring.get("Qualifier", [None])[0])
        kind = response.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        tail = response.headers.get("X-Amz-Log-Type") == "Tail"
        return functions.answer(function, response.body, kind, tail=tail)

    def notify(function: LambdaFunction, body: str, *_headers: object) -> bytes:
        functions.begin(Invocation(_code(function), _event(body), function))
        return b""

    def delete_and_stop(backend: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        _DELETE(backend, function_name, qualifier)
        functions.pool.discard(function_name.rsplit(":", 1)[-1])

    LambdaResponse.invoke = invoke
    LambdaFunction.invoke = notify
    LambdaBackend.delete_function = delete_and_stop


@dataclass
class Invocation:
    """An asynchronous invocation on its way through its attempts."""

    code: Code
    event: Any
    function: LambdaFunction
    attempts: int = 0


@dataclass
class Functions:
    """Invocations of this cloud's functions."""

    cloud: LocalCloud
    pool: Pool

    def answer(
        self, function: LambdaFunction, body: bytes | str, kind: str, *, tail: bool
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer an Invoke request: status, headers, payload."""
        code, event = _code(function), _event(body)
        if kind == "DryRun":
            return 204, {"status": "204"}, b""
        if kind == "Event":
            self.begin(Invocation(code, event, function))
            return 202, {"status": "202"}, b""
        try:
            _, answer = self.pool.run(code, event, concurrency=_concurrency(function), wait=False)
        except ThrottledError:
            error = LambdaClientError("TooManyRequestsException", "Rate Exceeded.")
            error.code = HTTPStatus.TOO_MANY_REQUESTS
            raise error from None
        headers = {"content-type": "application/json", "X-Amz-Executed-Version": code.version}
        if answer.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if tail:
            headers["X-Amz-Log-Result"] = b64encode(answer.output.encode()[-LOG_TAIL_BYTES:]).decode()
        return 200, headers, answer.payload

    def begin(self, invocation: Invocation) -> None:
        """Run an asynchronous invocation in the background."""
        self.cloud.start(f"function {invocation.code.name}", lambda: self._attempt(invocation))

    def _attempt(self, invocation: Invocation) -> None:
        invocation.attempts += 1
        concurrency = _concurrency(invocation.function)
        try:
            request_id, answer = self.pool.run(invocation.code, invocation.event, concurrency=concurrency, wait=True)
        except ThrottledError:
            throttled = Answer(b'{"errorMessage": "Rate Exceeded."}', "TooManyRequestsException", "", 0.0)
            self._ended(invocation, "", throttled)
            return
        if answer.error and invocation.attempts <= _retries(invocation.function):
            wait = RETRY_WAITS[invocation.attempts - 1]
            logger.warning("function %s failed (%s); again in %s", invocation.code.name, answer.error, wait)
            self.cloud.clock.at(self.cloud.clock.now() + wait, lambda: self.begin(invocation))
        else:
            self._ended(invocation, request_id, answer)

    def _ended(self, invocation: Invocation, request_id: str, answer: Answer) -> None:
        """Tell the function's destination, and its dead-letter queue if it failed for good."""
        name = invocation.code.name
        if answer.error:
            publish(self.cloud, name, {"AsyncEventsDropped": 1})
        try:
            if answer.error:
                logger.error("function %s failed for good: %s", name, answer.payload.decode())
                self._bury(invocation, request_id, answer)
            destinations = _invoke_config(invocation.function).get("DestinationConfig") or {}
            outcome = destinations.get("OnFailure" if answer.error else "OnSuccess") or {}
            if outcome.get("Destination"):
                record = self._record(invocation, request_id, answer)
                event = {"source": "lambda", "detail-type": "Lambda Function Invocation Result", "detail": record}
                target = {"Arn": outcome["Destination"]}
                resources = {"resources": [invocation.code.arn]}
                Call(self._caller(invocation), target, json.dumps(record), event | resources).make()
        except (BotoCoreError, ClientError, ValueError, AccessDeniedError):
            logger.exception("function %s: its destination did not take the result", name)
            publish(self.cloud, name, {"DestinationDeliveryFailures": 1})

    def _bury(self, invocation: Invocation, request_id: str, answer: Answer) -> None:
        configuration = self.cloud.client("lambda").get_function_configuration(FunctionName=invocation.code.name)
        arn = (configuration.get("DeadLetterConfig") or {}).get("TargetArn", "")
        body = json.dumps(invocation.event)
        if ":sqs:" in arn:
            message = json.loads(answer.payload).get("errorMessage", "")
            attributes = {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": message[:1024]}
            sqs = self._caller(invocation).client("sqs", "sqs:SendMessage", arn)
            send_to_queue(sqs, queue_url(self.cloud, arn), body, attributes)
        elif arn:
            Call(self._caller(invocation), {"Arn": arn}, body).make()

    def _caller(self, invocation: Invocation) -> Caller:
        code = invocation.code
        return Caller(self.cloud, LAMBDA, code.arn, code.role_arn, code.name)

    def _record(self, invocation: Invocation, request_id: str, answer: Answer) -> dict[str, Any]:
        outcome = {"statusCode": 200, "executedVersion": invocation.code.version}
        return {
            "version": "1.0",
            "timestamp": f"{self.cloud.clock.now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            "requestContext": {
                "requestId": request_id,
                "functionArn": f"{invocation.code.arn}:{invocation.code.version}",
                "condition": "RetriesExhausted" if answer.error else "Success",
                "approximateInvokeCount": invocation.attempts,
            },
            "requestPayload": invocation.event,
            "responseContext": outcome | ({"functionError": "Unhandled"} if answer.error else {}),
            "responsePayload": json.loads(answer.payload),
        }


def _code(function: LambdaFunction) -> Code:
    if function.package_type != "Zip" or not str(function.run_time).startswith("python"):
        kind = function.run_time or "a container image"
        message = f"The local cloud runs functions of Python in a zip archive; {function.function_name} is {kind}."
        raise LambdaClientError("InvalidRuntimeException", message)
    if function.layers:
        raise LambdaClientError("InvalidParameterValueException", "The local cloud does not support layers.")
    configuration = function.get_configuration()
    return Code(
        name=function.function_name,
        arn=function.function_arn,
        version=str(configuration["Version"]),
        zip_bytes=function.code_bytes,
        handler=function.handler,
        variables=tuple(sorted(function.environment_vars.items())),
        timeout_seconds=int(function.timeout),
        memory_mb=int(function.memory_size),
        role_arn=function.role,
    )


def _event(body: Any) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise LambdaClientError("InvalidRequestContentException", message) from None


def _concurrency(function: LambdaFunction) -> int | None:
    return None if function.reserved_concurrency is None else int(function.reserved_concurrency)


def _invoke_config(function: LambdaFunction) -> dict[str, Any]:
    return function.event_invoke_config[-1].response() if function.event_invoke_config else {}


def _retries(function: LambdaFunction) -> int:
    retries = _invoke_config(function).get("MaximumRetryAttempts")
    return len(RETRY_WAITS) if retries is None else int(retries)
