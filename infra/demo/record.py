"""What happened in a run of the demo, gathered as it happens: the summary and the report are drawn from it."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

SCHEMA_VERSION = 1
Kind = Literal["data", "training", "approval", "deploy", "alarm", "decision"]


@dataclass(frozen=True)
class Event:
    """One thing that happened, at the local cloud's time."""

    at: datetime
    kind: Kind
    what: str


@dataclass
class Record:
    """Every figure is measured in this run; none is written in advance."""

    set_up_seconds: float
    events: list[Event] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, str]] = field(default_factory=list)
    deploys: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    """The drift reports, one a window."""
    requests_sent: int = 0
    requests_failed: int = 0
    auc_with: dict[str, float] = field(default_factory=dict)
    auc_without: dict[str, float] = field(default_factory=dict)
    steps: list[tuple[str, float]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """The lines that were printed."""
    second_plan_changes: int | None = None
    resources_left: int | None = None
    seconds: float = 0.0

    @property
    def went_well(self) -> bool:
        """Whether every deploy was verified, every request answered, and nothing changed or left that should not be."""
        return (
            all(deploy["verified"] for deploy in self.deploys)
            and self.requests_failed == 0
            and not self.second_plan_changes
            and not self.resources_left
        )

    def summary(self) -> dict[str, Any]:
        """The facts for machines, as docs/demo.md describes them."""
        return {
            "schema_version": SCHEMA_VERSION,
            "seconds": round(self.seconds, 1),
            "set_up_seconds": round(self.set_up_seconds, 1),
            "versions": self.versions,
            "alarms": self.alarms,
            "deploys": self.deploys,
            "requests": {"sent": self.requests_sent, "failed": self.requests_failed},
            "auc_by_month": {"with_retraining": self.auc_with, "without_retraining": self.auc_without},
            "second_plan_changes": self.second_plan_changes,
            "resources_left_after_destroy": self.resources_left,
            "steps": [{"step": step, "seconds": round(seconds, 1)} for step, seconds in self.steps],
            "events": [asdict(event) | {"at": event.at.isoformat()} for event in self.events],
        }

    def write(self, path: Path) -> None:
        """Write the summary as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.summary(), indent=2) + "\n", encoding="utf-8")
