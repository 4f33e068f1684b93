"""What auto scaling has done, or has not and why.

Source: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.jobs.job import present
from infra.local.validation import Json


@dataclass(eq=False)
class Activity:
    """One change of a target's capacity or bounds; `before` and `after` are equal if no capacity was changed."""

    description: str
    cause: str
    start_time: datetime
    before: int = 0
    after: int = 0
    status: str = "InProgress"
    status_message: str | None = None
    end_time: datetime | None = None
    not_scaled_reason: Json | None = None
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))

    def end(self, status: str, message: str, now: datetime) -> None:
        """Note how it ended."""
        self.status, self.status_message, self.end_time = status, message, now

    @property
    def has_scaled(self) -> bool:
        """Whether it has changed the capacity."""
        return self.status == "Successful" and self.after != self.before

    def describe(self, identity: Json) -> Json:
        """Its row in DescribeScalingActivities."""
        return {
            "ActivityId": self.identifier,
            **identity,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.start_time,
            "StatusCode": self.status,
            **present(
                EndTime=self.end_time,
                StatusMessage=self.status_message,
                NotScaledReasons=[self.not_scaled_reason] if self.not_scaled_reason else None,
            ),
        }
