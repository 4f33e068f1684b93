"""Which key something is encrypted with: who reads or writes it needs that key, too."""

from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from infra.local.identity.resources import Place
from infra.local.identity.sessions import PARTITION

ABSENT: Final = (ServiceException, HTTPException, LookupError)
"""What moto raises for what is not there."""
AWS_OWN: Final = "alias/aws/"
"""Keys that AWS holds itself ask nobody for permission."""


class Keys:
    """The keys in use in one account and region, by the ARNs of what they encrypt."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def of(self, arn: str) -> str | None:
        """The key of a queue, a topic or a table."""
        service, name = arn.split(":")[2], arn.split(":", 5)[-1]
        where: Any = self.place.account
        if service == "sqs":
            queue = sqs_backends[where][self.place.region].queues.get(name)
            return self.named(queue.kms_master_key_id if queue else None)
        if service == "sns":
            topic = sns_backends[where][self.place.region].topics.get(arn)
            return self.named(topic.kms_master_key_id if topic else None)
        table = dynamodb_backends[where][self.place.region].tables.get(name.removeprefix("table/"))
        return self.named((table.sse_specification or {}).get("KMSMasterKeyId") if table else None)

    def of_object(self, bucket: str, key: str) -> str | None:
        """The key of an object that is there."""
        try:
            found = s3_backends[self.place.account][PARTITION].get_object(bucket, key)
        except ABSENT:
            return None
        return self.named(found.kms_key_id) if found and found.encryption == "aws:kms" else None

    def of_new_object(self, bucket: str, given: str | None) -> str | None:
        """The key of an object that is put: the one that is asked for, else the bucket's own."""
        if given:
            return self.named(given)
        try:
            encryption = s3_backends[self.place.account][PARTITION].get_bucket_encryption(bucket)
        except ABSENT:
            return None
        rule = (encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
        return self.named(rule.get("KMSMasterKeyID")) if rule.get("SSEAlgorithm") == "aws:kms" else None

    def named(self, name: str | None) -> str | None:
        """A key's ARN from any way to name it; None for one of AWS's own, or one that is not there."""
        if not name or AWS_OWN in name:
            return None
        backend = kms_backends[self.place.account][self.place.region]
        key_id = backend.any_id_to_key_id(name)
        return str(backend.keys[key_id].arn) if key_id in backend.keys else None
