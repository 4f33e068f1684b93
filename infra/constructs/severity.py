"""One state a model and severity, for a status page or a pager to follow instead of every alarm."""

from collections.abc import Sequence
from typing import get_args

from infra.constructs.alarm import Alarm, Severity
from infra.provider import Construct, aws


class SeverityAlarms(Construct):
    """Composite alarms that are raised while any alarm of their severity is.

    They tell nobody by themselves: the alarms that they consist of do, and say which they are and what to do.
    """

    def __init__(self, scope: Construct, id_: str, *, base: str, alarms: Sequence[Alarm]) -> None:
        super().__init__(scope, id_)
        for severity in get_args(Severity):
            if parts := [alarm for alarm in alarms if alarm.severity == severity]:
                self._any_of(severity, base, parts)

    def _any_of(self, severity: Severity, base: str, parts: Sequence[Alarm]) -> None:
        aws.CloudwatchCompositeAlarm(
            self,
            severity,
            alarm_name=f"{base}-{severity}",
            alarm_description=f"[{severity}] Any {severity} alarm of {base}; its reason names the alarm.",
            alarm_rule=" OR ".join(f'ALARM("{alarm.name}")' for alarm in parts),
            depends_on=[alarm.alarm for alarm in parts],
        )
