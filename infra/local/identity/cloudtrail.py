"""CloudTrail's LookupEvents on the trail: who did what to what, when, and whether they were allowed.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from infra.local.cloud import LocalCloud
from infra.local.identity.reading import is_reading
from infra.local.identity.trail import Entry
from infra.local.unsupported import UNSUPPORTED, error_response

Json = dict[str, Any]
PREFIX: Final = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
MOST: Final = 50
"""Events a page."""


class CloudTrail:
    """Answers LookupEvents; the service's other operations are refused."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def route(self, environ: Json, start_response: Callable[..., object]) -> Iterable[bytes] | None:
        """Answer a request; None if it is another one."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(PREFIX):
            return None
        if target != f"{PREFIX}LookupEvents":
            message = f"The local cloud does not support cloudtrail:{target.removeprefix(PREFIX)}."
            return error_response(environ, start_response, UNSUPPORTED, message)
        answer = self.lookup(json.loads(environ["wsgi.input"].read() or b"{}"))
        start_response(f"{HTTPStatus.OK:d} OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answer).encode()]

    def lookup(self, request: Json) -> Json:
        """The answer of LookupEvents, the newest first."""
        wanted = {one["AttributeKey"]: one["AttributeValue"] for one in request.get("LookupAttributes", [])}
        begin, end = _moment(request.get("StartTime")), _moment(request.get("EndTime"))
        entries, token = iter(self._cloud.authority.trail), request.get("NextToken")
        if token:
            next((entry for entry in entries if entry.id == token), None)  # the last of the page before
        found = (
            event
            for entry in entries
            if (begin is None or entry.at >= begin) and (end is None or entry.at <= end)
            for event in [self._event(entry)]
            if all(value in _attribute(event, key) for key, value in wanted.items())
        )
        most = min(request.get("MaxResults", MOST), MOST)
        page = list(islice(found, most + 1))
        return {"Events": page[:most]} | ({"NextToken": page[most - 1]["EventId"]} if len(page) > most else {})

    def _event(self, entry: Entry) -> Json:
        service, name = entry.action.split(":", 1)
        resources = [entry.resource] if entry.resource and entry.resource != "*" else []
        return {
            "EventId": entry.id,
            "EventName": name,
            "ReadOnly": str(is_reading(name)).lower(),
            "AccessKeyId": entry.access_key_id,
            "EventTime": entry.at.timestamp(),
            "EventSource": f"{service}.amazonaws.com",
            "Username": entry.principal.arn.rsplit("/", 1)[-1],
            "Resources": [{"ResourceName": arn} for arn in resources],
            "CloudTrailEvent": json.dumps(self._record(entry, service, name, resources)),
        }

    def _record(self, entry: Entry, service: str, name: str, resources: list[str]) -> Json:
        denied = {"errorCode": "AccessDenied", "errorMessage": entry.decision.why_not}
        return {
            "eventVersion": "1.11",
            "userIdentity": _identity(entry),
            "eventTime": f"{entry.at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": self._cloud.region,
            "sourceIPAddress": entry.principal.service or "127.0.0.1",
            "eventID": entry.id,
            "readOnly": is_reading(name),
            "resources": [{"accountId": self._cloud.account, "ARN": arn} for arn in resources],
            "eventType": "AwsApiCall",
            "recipientAccountId": self._cloud.account,
            **({} if entry.decision.allowed else denied),
        }


def _identity(entry: Entry) -> Json:
    principal = entry.principal
    if principal.service is not None:
        return {"type": "AWSService", "invokedBy": principal.service}
    told = {"arn": principal.arn, "accountId": principal.account, "accessKeyId": entry.access_key_id}
    if entry.role_arn is None:
        return {"type": "Root", **told}
    issuer = {"type": "Role", "arn": entry.role_arn, "userName": entry.role_arn.rsplit("/", 1)[-1]}
    return {"type": "AssumedRole", **told, "sessionContext": {"sessionIssuer": issuer}}


def _attribute(event: Json, key: str) -> list[str]:
    if key == "ResourceName":
        return [one["ResourceName"] for one in event["Resources"]]
    return [str(event.get(key))]


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
