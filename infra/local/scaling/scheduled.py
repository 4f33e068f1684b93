"""A scheduled action: new bounds for a target, once or again and again.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
"""

from dataclasses import dataclass
from datetime import datetime

from infra.local.events import timetable
from infra.local.jobs.job import present
from infra.local.scaling.activity import Activity
from infra.local.scaling.target import ScalableTarget, identity
from infra.local.validation import Json, ValidationException


@dataclass(eq=False)
class ScheduledAction:
    """One scheduled action of a target."""

    name: str
    arn: str
    target: ScalableTarget
    schedule: str
    creation_time: datetime
    zone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    bounds: Json | None = None

    def timetable(self) -> timetable.Timetable:
        """When it is due.

        Raises:
            ValidationException: its schedule is none.
        """
        try:
            due = timetable.parse(self.schedule, self.start or self.creation_time, self.zone or "UTC")
        except ValueError as error:
            raise ValidationException(f"Invalid schedule expression: {error}") from error
        return timetable.between(due, self.start, self.end)

    def apply(self, now: datetime) -> None:
        """Give its target the new bounds, and note it."""
        bounds, target = self.bounds or {}, self.target
        with target.scaling:
            words = [f"{side} capacity to {bounds[key]}" for side, key in SIDES.items() if key in bounds]
            cause = f"scheduled action name {self.name} was triggered"
            activity = Activity(f"Setting {' and '.join(words)}", cause, now)
            target.activities.appendleft(activity)
            try:
                target.bound(bounds.get("MinCapacity"), bounds.get("MaxCapacity"))
            except ValidationException as error:
                activity.end("Failed", str(error), now)
            else:
                activity.end("Successful", f"Successfully set {' and '.join(words)}", now)

    def describe(self) -> Json:
        """Its row in DescribeScheduledActions."""
        return {
            "ScheduledActionName": self.name,
            "ScheduledActionARN": self.arn,
            **identity(self.target.resource_id),
            "Schedule": self.schedule,
            "CreationTime": self.creation_time,
            **present(Timezone=self.zone, StartTime=self.start, EndTime=self.end, ScalableTargetAction=self.bounds),
        }


SIDES = {"min": "MinCapacity", "max": "MaxCapacity"}
