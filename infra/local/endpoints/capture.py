"""Data capture: what an endpoint was asked and answered, as JSON Lines in S3, in AWS's format and places.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import json
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from botocore.exceptions import ClientError

from infra.local.cloud import LocalCloud
from infra.local.execution_role import ExecutionRole
from infra.local.s3_files import encryption, split_uri
from infra.local.validation import Json

FLUSH_BYTES = 1_000_000
FLUSH_AFTER = timedelta(seconds=5)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """One direction of an invocation."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """How a record is told from others, and joined with them."""

    event_id: str
    """The same in the records of a request and of its copy to a shadow variant."""
    inference_id: str | None = None
    source: str | None = None
    """Why the model was asked, unless a client did."""


@dataclass
class Batch:
    """Lines of one variant that go into one file, since they are of one hour."""

    began: datetime
    lines: list[str] = field(default_factory=list)
    size: int = 0


class Capture:
    """Captures a share of an endpoint's invocations; nothing is lost when the endpoint is updated or deleted."""

    def __init__(self, cloud: LocalCloud, endpoint: str, config: Json, role: Callable[[], ExecutionRole]) -> None:
        self._cloud = cloud
        self._role = role
        self._encryption = encryption(config.get("KmsKeyId"))
        self._endpoint = endpoint
        self._uri: str = config["DestinationS3Uri"].rstrip("/")
        self._percent: int = config["InitialSamplingPercentage"]
        self._modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        types = config.get("CaptureContentTypeHeader", {})
        self._csv = {_media_type(name) for name in types.get("CsvContentTypes", [])}
        self._json = {_media_type(name) for name in types.get("JsonContentTypes", [])}
        self._seen: dict[str, int] = {}
        self._batches: dict[str, Batch] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls, cloud: LocalCloud, endpoint: str, config: Json | None, role: Callable[[], ExecutionRole]
    ) -> "Capture | None":
        """The capture that an endpoint configuration asks for, if it does; `role` is asked for when it writes."""
        return cls(cloud, endpoint, config, role) if config and config.get("EnableCapture") else None

    def note(self, variant: str, request: Message, response: Message, exchange: Exchange) -> None:
        """Capture an invocation, if it is one of the sample: of any n, exactly n x percent / 100, evenly spread."""
        with self._lock:
            number = self._seen[variant] = self._seen.get(variant, 0) + 1
        if number * self._percent // 100 == (number - 1) * self._percent // 100:
            return
        now = self._cloud.clock.now()
        line = json.dumps(self._record(request, response, exchange, now), separators=(",", ":"))
        for full in self._add(variant, line, now):
            self._write(variant, full)

    def flush(self) -> None:
        """Write out every batch."""
        with self._lock:
            batches, self._batches = self._batches, {}
        for variant, batch in batches.items():
            self._write(variant, batch)

    def _record(self, request: Message, response: Message, exchange: Exchange, now: datetime) -> Json:
        data = {}
        if "Input" in self._modes:
            data["endpointInput"] = self._message(request, "INPUT")
        if "Output" in self._modes:
            data["endpointOutput"] = self._message(response, "OUTPUT")
        return {
            "captureData": data,
            "eventMetadata": {
                "eventId": exchange.event_id,
                **({"invocationSource": exchange.source} if exchange.source else {}),
                **({"inferenceId": exchange.inference_id} if exchange.inference_id else {}),
                "inferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            },
            "eventVersion": "0",
        }

    def _message(self, message: Message, mode: Literal["INPUT", "OUTPUT"]) -> Json:
        encoding = self._encoding(message)
        data = base64.b64encode(message.body) if encoding == "BASE64" else message.body
        return {
            "observedContentType": message.content_type,
            "mode": mode,
            "data": data.decode(),
            "encoding": encoding,
        }

    def _encoding(self, message: Message) -> Literal["CSV", "JSON", "BASE64"]:
        kind = _media_type(message.content_type)
        if kind not in self._csv | self._json or not _is_text(message.body):
            return "BASE64"
        return "CSV" if kind in self._csv else "JSON"

    def _add(self, variant: str, line: str, now: datetime) -> list[Batch]:
        """Add a line to the variant's batch; returns those to write now: of an hour that is over, or full."""
        with self._lock:
            done = []
            batch = self._batches.get(variant)
            if batch and _hour(batch.began) != _hour(now):
                done.append(self._batches.pop(variant))
            if variant not in self._batches:
                self._batches[variant] = Batch(now)
                self._cloud.clock.at(now + FLUSH_AFTER, self.flush)
            batch = self._batches[variant]
            batch.lines.append(line)
            batch.size += len(line)
            if batch.size >= FLUSH_BYTES:
                done.append(self._batches.pop(variant))
            return done

    def _write(self, variant: str, batch: Batch) -> None:
        at = batch.began.astimezone(UTC)
        place = f"{at:%Y/%m/%d/%H/%M-%S}-{at.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        bucket, key = split_uri(f"{self._uri}/{self._endpoint}/{variant}/{place}")
        body = "".join(f"{line}\n" for line in batch.lines).encode()
        try:
            self._role().client("s3").put_object(Bucket=bucket, Key=key, Body=body, **self._encryption)
        except ClientError:
            logger.exception("%d captured invocations of %s cannot be written", len(batch.lines), self._endpoint)


def _media_type(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
