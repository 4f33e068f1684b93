"""SQS's redrive policy, in the spelling of the JSON that Terraform writes."""

import json
from typing import Any

from moto.sqs.models import Queue

from infra.local.cloud import LocalCloud


def install(_: LocalCloud) -> None:
    """Answer without spaces, as AWS does."""
    attributes = Queue.attributes.fget

    def compact(queue: Queue) -> dict[str, Any]:
        told: dict[str, Any] = attributes(queue)
        if queue.redrive_policy:
            told["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
        return told

    Queue.attributes = property(compact)
