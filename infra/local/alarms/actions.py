"""What an alarm does when its state changes: tell a topic, call a function."""

import json
import logging
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.alarms.history import AlarmHistory
from infra.local.alarms.messages import Snapshot, event_detail, sns_message
from infra.local.alarms.query import Query
from infra.local.alarms.reason import stamp
from infra.local.cloud import LocalCloud
from infra.local.events.caller import Caller
from infra.local.identity.authority import AccessDeniedError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """One change of one alarm's state; `query` is None for a composite alarm."""

    alarm: Any
    query: Query | None
    now: Snapshot
    before: Snapshot

    @property
    def detail(self) -> dict[str, Any]:
        """The change as events tell it."""
        return event_detail(self.alarm, self.query, self.now, self.before)

    @property
    def actions(self) -> list[str]:
        """The actions for the new state, if the alarm's actions are enabled."""
        if not self.alarm.actions_enabled:
            return []
        return {
            "ALARM": self.alarm.alarm_actions,
            "OK": self.alarm.ok_actions,
            "INSUFFICIENT_DATA": self.alarm.insufficient_data_actions,
        }[self.now.value] or []


@dataclass(frozen=True)
class Actions:
    """Runs actions in the background, and says in the alarm's history how they went."""

    cloud: LocalCloud
    history: AlarmHistory

    def start(self, change: Change) -> None:
        """Run the actions for the new state."""
        for arn in change.actions:
            self.cloud.start(f"alarm {change.alarm.name} -> {arn}", lambda arn=arn: self._run(change, arn))  # type: ignore[misc]

    def _run(self, change: Change, arn: str) -> None:
        try:
            done = self._call(change, arn)
        except (BotoCoreError, ClientError, AccessDeniedError) as error:
            logger.exception("alarm %s: action %s failed", change.alarm.name, arn)
            summary, outcome = f"Failed to execute action {arn}. Received error: {error}", "Failed"
        else:
            summary = f"Successfully executed action {arn}" if done else f"Action {arn} is not run by the local cloud"
            outcome = "Succeeded" if done else "Skipped"
        data = {"actionState": outcome, "stateUpdateTimestamp": stamp(change.now.updated), "notificationResource": arn}
        self.history.add(change.alarm, "Action", summary, data)

    def _call(self, change: Change, arn: str) -> bool:
        """Whether the action is one that runs here."""
        service = arn.split(":")[2]
        if service == "sns":
            subject, body = sns_message(
                change.alarm, change.query, change.now, change.before, account=self.cloud.account
            )
            caller = Caller(self.cloud, "cloudwatch.amazonaws.com", change.alarm.alarm_arn)
            caller.client("sns", "sns:Publish", arn).publish(TopicArn=arn, Subject=subject, Message=body)
        elif service == "lambda":
            event = {
                "source": "aws.cloudwatch",
                "alarmArn": change.alarm.alarm_arn,
                "accountId": self.cloud.account,
                "time": stamp(change.now.updated),
                "region": self.cloud.region,
                "alarmData": change.detail,
            }
            payload = json.dumps(event).encode()
            caller = Caller(self.cloud, "lambda.alarms.cloudwatch.amazonaws.com", change.alarm.alarm_arn)
            client = caller.client("lambda", "lambda:InvokeFunction", arn)
            client.invoke(FunctionName=arn, InvocationType="Event", Payload=payload)
        elif service != "autoscaling":  # infra.local.scaling hears of it by the alarm's event
            logger.warning("alarm %s: the local cloud does not run the action %s", change.alarm.name, arn)
        return service in ("sns", "lambda", "autoscaling")
