"""Where alarms speak to people: one encrypted topic an environment."""

from infra.constructs.encryption_key import EncryptionKey
from infra.constructs.permissions import policy_document
from infra.naming import Names
from infra.provider import Construct, aws


class Alerts(Construct):
    """An SNS topic that alarms and rules of this account may publish to, and an e-mail subscription if asked for."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, key: EncryptionKey, email: str | None) -> None:
        super().__init__(scope, id_)
        self.arn = f"arn:aws:sns:{names.region}:{names.account}:{names.base}-alerts"
        topic = aws.SnsTopic(self, "topic", name=f"{names.base}-alerts", kms_master_key_id=key.arn)
        alarms = f"arn:aws:cloudwatch:{names.region}:{names.account}:alarm:{names.base}-*"
        rules = f"arn:aws:events:{names.region}:{names.account}:rule/{names.base}-*"
        statement = {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": self.arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": names.account}, "ArnLike": {"aws:SourceArn": alarms}},
        }
        events = {
            "Sid": "RulesPublish",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": self.arn,
            "Condition": {"ArnLike": {"aws:SourceArn": rules}},
        }
        aws.SnsTopicPolicy(self, "policy", arn=topic.arn, policy=policy_document([statement, events]))
        if email is not None:
            aws.SnsTopicSubscription(self, "email", topic_arn=topic.arn, protocol="email", endpoint=email)
