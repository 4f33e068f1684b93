"""Delivering to a target: in the background, again after a passing fault, to a dead-letter queue when it cannot be.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from infra.local.cloud import LocalCloud
from infra.local.events.caller import Caller
from infra.local.identity.authority import AccessDeniedError

logger = logging.getLogger(__name__)

MAXIMUM_RETRIES = 185
MAXIMUM_AGE_SECONDS = 86_400
LONGEST_WAIT_SECONDS = 600
SERVER_ERROR = 500


@dataclass
class Delivery:
    """One message on its way to one target.

    Attributes:
        what: In words, for the log and for whoever waits.
        send: Sends it; called with the number of the attempt, from 1.
        target: The target as the API takes it: `Arn`, `RetryPolicy`, `DeadLetterConfig`.
        dead_letter: The body and the attributes of the message for the dead-letter queue.
        buried_by: In whose name it gets there: a schedule's role, or EventBridge by the queue's policy.
    """

    cloud: LocalCloud
    what: str
    send: Callable[[int], None]
    target: Mapping[str, Any]
    dead_letter: tuple[str, dict[str, str]]
    buried_by: Caller
    attempts: int = 0
    began: datetime = field(init=False)

    def start(self) -> None:
        """Deliver in the background; the cloud counts it as under way until it has ended or waits for its next try."""
        self.began = self.cloud.clock.now()
        self.cloud.start(self.what, self._attempt)

    def _attempt(self) -> None:
        self.attempts += 1
        try:
            self.send(self.attempts)
        except (BotoCoreError, ClientError, ValueError, AccessDeniedError) as error:
            if _may_pass(error) and (wait := self._wait()) is not None:
                logger.info("%s: try %d failed (%s); again in %s", self.what, self.attempts, error, wait)
                self.cloud.clock.at(self.cloud.clock.now() + wait, lambda: self.cloud.start(self.what, self._attempt))
            else:
                self._give_up(error)

    def _wait(self) -> timedelta | None:
        """How long until the next try; None if the retry policy allows none."""
        policy = self.target.get("RetryPolicy") or {}
        wait = timedelta(seconds=min(2**self.attempts, LONGEST_WAIT_SECONDS))
        age = self.cloud.clock.now() - self.began + wait
        if self.attempts > policy.get("MaximumRetryAttempts", MAXIMUM_RETRIES):
            return None
        return wait if age.total_seconds() <= policy.get("MaximumEventAgeInSeconds", MAXIMUM_AGE_SECONDS) else None

    def _give_up(self, error: Exception) -> None:
        logger.error("%s: failed after %d attempts: %s", self.what, self.attempts, error)
        queue = (self.target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        body, attributes = self.dead_letter
        attributes = attributes | {
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": error_code(error),
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(self.attempts - 1),
        }
        try:
            sqs = self.buried_by.client("sqs", "sqs:SendMessage", queue)
            send_to_queue(sqs, queue_url(self.cloud, queue), body, attributes)
        except (BotoCoreError, ClientError, AccessDeniedError):
            logger.exception("%s: its dead-letter queue %s did not take it either", self.what, queue)


def send_to_queue(sqs: Any, url: str, body: str, attributes: Mapping[str, str]) -> None:  # noqa: ANN401 - boto3's
    """Put a message into an SQS queue."""
    values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=values)


def queue_url(cloud: LocalCloud, queue_arn: str) -> str:
    """An SQS queue's URL."""
    return str(cloud.client("sqs").get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"])


def error_code(error: Exception) -> str:
    """AWS's code of an error, or its class."""
    if isinstance(error, AccessDeniedError):
        return "NO_PERMISSIONS"
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _may_pass(error: Exception) -> bool:
    """Throttling, a server's fault, a broken connection; a wrong request stays wrong."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        return status >= SERVER_ERROR or error_code(error) in {"ThrottlingException", "TooManyRequestsException"}
    return isinstance(error, HTTPClientError)
