"""The demo's view of the local cloud: its clock, and what its alarms, reports and governor have said."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.config import EnvironmentConfig, NewDataConfig
from infra.local.lifecycle import Handle
from infra.naming import ModelNames
from infra.retraining.ledger import Ledger
from infra.session import client
from monitoring.contract import DRIFT_PAGE_FILE, DRIFT_REPORT_FILE, LEDGER_AT

Raised = tuple[str, datetime, str]
"""An alarm's name, when it was raised, and the reason it gave."""


class DemoCloud:
    """Everything but the clock is read through AWS's own API."""

    def __init__(self, handle: Handle, environment: EnvironmentConfig) -> None:
        self._handle = handle
        self._environment, self._s3 = environment, client(environment, "s3")
        self._cloudwatch = client(environment, "cloudwatch")

    def now(self) -> datetime:
        """The local cloud's time."""
        return datetime.fromisoformat(self._handle.status()["clock"])

    def advance(self, to: datetime) -> None:
        """Move the clock on to `to`, if it is not there yet; what is due on the way has ended when this returns."""
        if to > self.now():
            self._handle.advance(to.astimezone(UTC))

    def quiet_down(self, new_data: NewDataConfig) -> None:
        """Let the time pass after which new data is looked at."""
        self.advance(self.now() + timedelta(minutes=new_data.debounce_minutes + 1))

    def settle(self) -> None:
        """Wait until nothing is under way."""
        self._handle.settle()

    def alarms_raised(self, names: list[str]) -> list[Raised]:
        """Every time one of these alarms went into ALARM, the oldest first."""
        history = [
            item
            for name in names
            for item in self._cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")[
                "AlarmHistoryItems"
            ]
        ]
        raised = [(item["AlarmName"], item["Timestamp"], _new_state(item)) for item in history]
        return sorted(
            ((name, at, new["stateReason"]) for name, at, new in raised if new["stateValue"] == "ALARM"),
            key=lambda alarm: alarm[1],
        )

    def drift_reports(self, names: ModelNames) -> list[dict[str, Any]]:
        """The drift reports of every window, the oldest first."""
        bucket, keys = self._reported(names, DRIFT_REPORT_FILE)
        return [json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]

    def drift_page(self, names: ModelNames) -> bytes:
        """The newest window's report for people; empty before there is one."""
        bucket, keys = self._reported(names, DRIFT_PAGE_FILE)
        page: bytes = self._s3.get_object(Bucket=bucket, Key=keys[-1])["Body"].read() if keys else b""
        return page

    def _reported(self, names: ModelNames, file: str) -> tuple[str, list[str]]:
        """The bucket of drift reports, and the keys of one file of every window's, the oldest first."""
        bucket, _, prefix = names.drift_reports_uri.removeprefix("s3://").partition("/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        keys = sorted(item["Key"] for page in pages for item in page.get("Contents", ()))
        return bucket, [key for key in keys if key.endswith(f"/{file}")]

    def decisions(self, model: str) -> list[tuple[datetime, dict[str, Any]]]:
        """What the governor decided about the model, and why, the oldest first."""
        found = Ledger(self._environment, model).decisions(1000)
        return [(datetime.fromisoformat(item[LEDGER_AT].split(" ")[0]), item) for item in reversed(found)]


def _new_state(item: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(item["HistoryData"])["newState"]
    return state
