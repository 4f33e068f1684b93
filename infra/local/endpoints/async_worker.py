"""Answering one asynchronous request: its input from S3, its answer to S3, and a message to who wants to know."""

import json
import logging
import time

from botocore.exceptions import BotoCoreError, ClientError

from infra.local import s3_files
from infra.local.cloud import LocalCloud
from infra.local.endpoints.async_metrics import Processed, publish
from infra.local.endpoints.async_request import AsyncRequest, Ending
from infra.local.endpoints.dispatch import Dispatcher, Outcome
from infra.local.endpoints.exchange import Answer
from infra.local.identity.authority import AccessDeniedError
from infra.local.s3_files import DataNotFoundError
from infra.local.validation import Json

log = logging.getLogger(__name__)


class AsyncWorker:
    """Answers requests taken from a queue."""

    def __init__(self, cloud: LocalCloud, dispatcher: Dispatcher) -> None:
        self._cloud = cloud
        self._dispatcher = dispatcher

    def answer(self, request: AsyncRequest) -> None:
        """Answer a request, whatever comes of it.

        Raises:
            NoCapacityError: there is no instance any more to ask.
        """
        began = time.perf_counter()
        now = self._cloud.clock.now()
        config = self._dispatcher.config(request.endpoint)
        variant = config["ProductionVariants"][0]["VariantName"]
        noted = Processed(variant, max((now - request.received).total_seconds(), 0.0))
        output: Json = config["AsyncInferenceConfig"]["OutputConfig"]
        if now > request.expires:
            noted.faults += ("ExpiredRequests",)
            ending = Ending(None, failure_reason="ClientError: the request waited for longer than RequestTTLSeconds.")
        else:
            ending = self._ask(request, output, noted)
        self._notify(request, ending, output, noted)
        noted.took_seconds = time.perf_counter() - began
        publish(self._cloud, {"EndpointName": request.endpoint, "VariantName": noted.variant}, now, noted)

    def _ask(self, request: AsyncRequest, output: Json, noted: Processed) -> Ending:
        began = time.perf_counter()
        try:
            body = self._fetch(request)
        except DataNotFoundError as error:
            noted.faults += ("RequestDownloadFailures",)
            return Ending(None, failure_reason=f"ClientError: {error}")
        noted.download_seconds = time.perf_counter() - began
        outcome = self._dispatcher.ask(request.endpoint, request.invocation(body), asynchronously=True)
        noted.variant, noted.status, noted.model_seconds = outcome.variant.name, outcome.status, outcome.model_seconds
        return self._store(request, output, outcome, noted)

    def _store(self, request: AsyncRequest, output: Json, outcome: Outcome, noted: Processed) -> Ending:
        answer = outcome.answer
        kind = answer.headers.get("Content-Type")
        reason = None if answer.is_success else str(self._dispatcher.model_error(request.endpoint, answer))
        location = request.failure_location if reason else request.output_location
        began = time.perf_counter()
        try:
            if location:
                self._put(request, location, answer, output.get("KmsKeyId"))
        except (ClientError, DataNotFoundError, AccessDeniedError) as error:
            noted.faults += ("ResponseUploadFailures",)
            return Ending(None, failure_reason=f"ClientError: the answer could not be put to {location}: {error}")
        noted.upload_seconds = time.perf_counter() - began
        return Ending(location, kind, answer.body, f"ModelError: {reason}" if reason else None)

    def _notify(self, request: AsyncRequest, ending: Ending, output: Json, noted: Processed) -> None:
        config = output.get("NotificationConfig", {})
        which, included = (
            ("ErrorTopic", "ERROR_NOTIFICATION_TOPIC")
            if ending.failure_reason
            else ("SuccessTopic", "SUCCESS_NOTIFICATION_TOPIC")
        )
        if which not in config:
            return
        with_body = included in config.get("IncludeInferenceResponseIn", [])
        message = ending.message(request, self._cloud.clock.now(), self._cloud.region, with_body=with_body)
        try:
            self._dispatcher.role(request.endpoint).client("sns").publish(
                TopicArn=config[which], Message=json.dumps(message)
            )
        except (ClientError, BotoCoreError):
            noted.faults += ("NotificationFailures",)
            log.exception("request %s: %s does not take its message", request.inference_id, config[which])

    def _fetch(self, request: AsyncRequest) -> bytes:
        location = request.given["InputLocation"]
        bucket, key = s3_files.split_uri(location)
        s3 = self._dispatcher.role(request.endpoint).client("s3")
        try:
            return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            raise DataNotFoundError(f"{error.response['Error'].get('Message', error)} ({location})") from error

    def _put(self, request: AsyncRequest, location: str, answer: Answer, key_id: str | None) -> None:
        bucket, key = s3_files.split_uri(location)
        kind = answer.headers.get("Content-Type")
        more = s3_files.encryption(key_id) | ({"ContentType": kind} if kind else {})
        role = self._dispatcher.role(request.endpoint)
        role.write_outputs(key_id)
        role.client("s3").put_object(Bucket=bucket, Key=key, Body=answer.body, **more)
