"""What happened to alarms: DescribeAlarmHistory, which moto does not have."""

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from infra.local.alarms.messages import Snapshot
from infra.local.clock import Clock

KEPT_ITEMS: Final = 10_000
DEFAULT_PAGE: Final = 100


class AlarmHistory:
    """The latest items, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: deque[dict[str, Any]] = deque(maxlen=KEPT_ITEMS)

    def install(self) -> None:
        """Answer DescribeAlarmHistory."""

        def describe(response: CloudWatchResponse) -> ActionResult:
            return ActionResult(self.page(response._get_params()))  # noqa: SLF001 - how moto's handlers read requests

        CloudWatchResponse.describe_alarm_history = describe

    def changed(self, alarm: Any, now: Snapshot, before: Snapshot) -> None:  # noqa: ANN401 - moto's Alarm
        """A state change."""
        states = {
            "oldState": {"stateValue": before.value, "stateReason": before.reason},
            "newState": {"stateValue": now.value, "stateReason": now.reason},
        }
        self.add(alarm, "StateUpdate", f"Alarm updated from {before.value} to {now.value}", {"version": "1.0"} | states)

    def add(self, alarm: Any, kind: str, summary: str, data: dict[str, Any]) -> None:  # noqa: ANN401 - moto's Alarm
        """Anything: `kind` is ConfigurationUpdate, StateUpdate or Action."""
        self._items.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
                "Timestamp": self._clock.now(),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data),
            }
        )

    def page(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The items that a request asks for, newest first unless it says otherwise."""
        found = [item for item in self._items if _matches(item, asked)]
        if asked.get("ScanBy") != "TimestampAscending":
            found.reverse()
        start, size = int(asked.get("NextToken") or 0), int(asked.get("MaxRecords") or DEFAULT_PAGE)
        more = {"NextToken": str(start + size)} if len(found) > start + size else {}
        return {"AlarmHistoryItems": found[start : start + size]} | more


def _matches(item: dict[str, Any], asked: dict[str, Any]) -> bool:
    types = asked.get("AlarmTypes") or ["MetricAlarm"]
    return (
        asked.get("AlarmName") in (None, item["AlarmName"])
        and asked.get("HistoryItemType") in (None, item["HistoryItemType"])
        and (item["AlarmType"] in types or asked.get("AlarmName") == item["AlarmName"])
        and _aware(asked.get("StartDate"), item) <= item["Timestamp"] <= _aware(asked.get("EndDate"), item)
    )


def _aware(date: datetime | None, item: dict[str, Any]) -> datetime:
    if date is None:
        moment: datetime = item["Timestamp"]
        return moment
    return date if date.tzinfo else date.replace(tzinfo=UTC)
