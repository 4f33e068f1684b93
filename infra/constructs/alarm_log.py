"""What alarms of the environment have said: a log that a dashboard asks, so that it need not know which there are."""

import json

from infra.constructs.dashboard import LogTable
from infra.constructs.encryption_key import EncryptionKey
from infra.naming import Names
from infra.provider import Construct, aws

RAISED = (
    "filter not ispresent(detail.configuration.alarmRule)"
    " | stats latest(detail.state.value) as state, latest(detail.state.timestamp) as since, "
    "latest(detail.state.reason) as reason by detail.alarmName as alarm"
    ' | filter state = "ALARM" | sort since desc | limit 100'
)
"""Those that consist of others are left out: these say no more.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""


class AlarmLog(Construct):
    """Every change of an alarm's state, as EventBridge tells it.

    That EventBridge may write there is said once an account, by `sagestack bootstrap`: whoever may say it for one log
    group may say it for all.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, key: EncryptionKey, log_days: int) -> None:
        super().__init__(scope, id_)
        self._name = names.alarm_log
        logs = aws.CloudwatchLogGroup(self, "logs", name=self._name, retention_in_days=log_days, kms_key_id=key.arn)
        pattern = {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": f"{names.base}-"}]},
        }
        rule = aws.CloudwatchEventRule(
            self,
            "changed",
            name=f"{names.base}-alarm-states",
            description="Keeps what the environment's alarms say",
            event_pattern=json.dumps(pattern),
        )
        aws.CloudwatchEventTarget(self, "kept", rule=rule.name, arn=logs.arn)

    def table(self) -> LogTable:
        """Those that are raised, of those that have changed in the time that the dashboard shows."""
        return LogTable("Alarms that are raised, of those that changed in the time shown", self._name, RAISED)
