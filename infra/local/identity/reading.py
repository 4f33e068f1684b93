"""Which calls change something: CloudTrail tells them from those that only read, and from those of data."""

from typing import Final

READING: Final = ("Batch", "Check", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Query", "Scan", "Search")
"""What the names of actions that only read begin with."""
OF_DATA: Final = {
    "dynamodb": ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"),
    "lambda": ("Invoke", "InvokeAsync"),
    "logs": ("PutLogEvents",),
    "cloudwatch": ("PutMetricData",),
    "events": ("PutEvents",),
    "s3": ("PutObject", "DeleteObject", "DeleteObjects", "CopyObject", "CreateMultipartUpload", "UploadPart"),
    "sagemaker-runtime": ("InvokeEndpoint", "InvokeEndpointAsync"),
    "sns": ("Publish", "PublishBatch"),
    "sqs": ("SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "ReceiveMessage"),
}
"""Operations that change data and no setting, by service."""


def is_reading(action: str) -> bool:
    """Whether an action, or an operation, only reads."""
    return action.startswith(READING)


def is_change(service: str, operation: str) -> bool:
    """Whether an operation changes a setting: what AWS calls a management event that is no reading."""
    return not is_reading(operation) and operation not in OF_DATA.get(service, ())
