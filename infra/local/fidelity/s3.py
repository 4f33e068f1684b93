"""S3's notifications and bucket policies."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from xml.etree import ElementTree as ET

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from infra.local.cloud import LocalCloud

MET: Final = {"Bool": {"aws:SecureTransport": "true"}}
"""The one condition that holds here: loopback stands in for TLS."""
UNKNOWN_SUBRESOURCES: Final = frozenset(
    {
        *("abac", "analytics", "annotation", "intelligent-tiering", "metadataAnnotationTable", "metadataConfiguration"),
        *("metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics", "renameObject", "session"),
        *("requestPayment", "torrent"),
    }
)
"""Query keys of operations that moto does not know, and would take for the plain operation on the bucket or object."""
NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"

REQUESTER_PAYS_NOTHING: Final = (
    f'<RequestPaymentConfiguration xmlns="{NAMESPACE}"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>'
)
"""Terraform asks this of every bucket."""


def install(cloud: LocalCloud) -> None:
    """Correct what moto forgets or takes too far."""
    FakeBucket.get_permission = get_permission
    get_notification, init = S3Response.get_bucket_notification, FakeBucket.__init__

    def get_bucket_notification(response: S3Response) -> Any:  # noqa: ANN401 - moto's response tuple
        status, headers, body = get_notification(response)
        configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
        if configuration and configuration.event_bridge is not None:
            body = _with_event_bridge(body)
        return status, headers, body

    def dated(bucket: FakeBucket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - moto's own
        init(bucket, *args, **kwargs)
        bucket.creation_date = cloud.clock.now()

    for name in ("bucket_response", "key_response"):
        setattr(S3Response, name, _knowing_subresources(getattr(S3Response, name)))
    S3Response.get_bucket_notification, FakeBucket.__init__ = get_bucket_notification, dated


def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the bucket's policy says; a statement whose condition does not hold says nothing (moto: it denies)."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    policy["Statement"] = [s for s in statements if s.get("Condition", MET) == MET]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def _knowing_subresources(handler: Callable[..., Any]) -> Callable[..., Any]:
    def handle(response: S3Response, request: Any, *rest: Any) -> Any:  # noqa: ANN401 - moto's own
        unknown = UNKNOWN_SUBRESOURCES.intersection(request.args)
        if unknown == {"requestPayment"} and request.method == "GET":
            return HTTPStatus.OK, {"content-type": "application/xml"}, REQUESTER_PAYS_NOTHING
        if unknown:
            raise NotImplementedError(f"{request.method} ?{min(unknown)}")
        return handler(response, request, *rest)

    return handle


def _with_event_bridge(body: str | bytes) -> bytes:
    configuration = ET.fromstring(body)  # noqa: S314 - moto wrote it a moment ago
    ET.SubElement(configuration, f"{{{NAMESPACE}}}EventBridgeConfiguration")
    answer: bytes = ET.tostring(configuration, "utf-8", default_namespace=NAMESPACE)
    return answer
