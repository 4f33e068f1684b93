"""S3's events on EventBridge: objects created and deleted in buckets whose notifications have EventBridge on.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import uuid
from contextvars import ContextVar
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeDeleteMarker, S3Backend

from infra.local.cloud import LocalCloud

CREATED = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
DELETED = ("s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated")

_COMPLETE = S3Backend.complete_multipart_upload
_completing: ContextVar[bool] = ContextVar("completing", default=False)


def install(cloud: LocalCloud) -> None:
    """Replace the events that moto sends for a bucket with EventBridge on."""

    def send(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401, ARG001 - moto's own call
        if event_name == "s3:ObjectCreated:Put" and _completing.get():
            return
        if event_name in CREATED:
            detail = _detail(cloud, bucket, key) | {"reason": CREATED[event_name]}
            cloud.emit("aws.s3", "Object Created", detail, [bucket.arn])
        elif event_name in DELETED:
            kind = "Delete Marker Created" if isinstance(key, FakeDeleteMarker) else "Permanently Deleted"
            detail = _detail(cloud, bucket, key) | {"reason": "DeleteObject", "deletion-type": kind}
            cloud.emit("aws.s3", "Object Deleted", detail, [bucket.arn])

    def complete(backend: S3Backend, *given: Any, **more: Any) -> Any:  # noqa: ANN401 - the API's own
        # moto puts the finished object and tells of that as well; AWS does not.
        token = _completing.set(True)
        try:
            return _COMPLETE(backend, *given, **more)
        finally:
            _completing.reset(token)

    S3Backend.complete_multipart_upload = complete
    notifications._send_event_bridge_message = send  # noqa: SLF001 - moto's only seam for these events


def _detail(cloud: LocalCloud, bucket: Any, key: Any) -> dict[str, Any]:  # noqa: ANN401 - moto's objects
    s3_object = {"key": key.name, "sequencer": f"{int(cloud.clock.now().timestamp() * 1_000_000):018X}"}
    if not isinstance(key, FakeDeleteMarker):
        s3_object |= {"size": key.size, "etag": key.etag.strip('"')}
    if bucket.is_versioned:
        s3_object["version-id"] = key.version_id
    return {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": s3_object,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": cloud.account,
        "source-ip-address": "127.0.0.1",
    }
