"""A scalable target: a variant of an endpoint, the bounds of its capacity, and what has been done to it.

Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html
"""

import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.jobs.job import present
from infra.local.scaling.activity import Activity
from infra.local.validation import Json, ValidationException

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
KEPT_ACTIVITIES = 1000
DEFAULT_SUSPENSION = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@dataclass(eq=False)
class ScalableTarget:
    """One variant whose capacity is moved between `least` and `most` instances."""

    resource_id: str
    """`endpoint/<endpoint>/variant/<variant>`."""
    arn: str
    creation_time: datetime
    role_arn: str
    least: int = 0
    most: int = 0
    suspended: dict[str, bool] = field(default_factory=lambda: dict(DEFAULT_SUSPENSION))
    tags: dict[str, str] = field(default_factory=dict)
    activities: deque[Activity] = field(default_factory=lambda: deque(maxlen=KEPT_ACTIVITIES))
    """Newest first."""
    scaling: threading.RLock = field(default_factory=threading.RLock)
    """Held while its capacity is decided on and changed."""

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.resource_id.split("/")[1]

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.resource_id.split("/")[3]

    def bound(self, least: int | None, most: int | None) -> None:
        """Set the bounds that are given.

        Raises:
            ValidationException: they leave no capacity between them, or are missing at first.
        """
        least = self.least if least is None else least
        most = self.most if most is None else most
        if most < least:
            raise ValidationException("Maximum capacity cannot be less than minimum capacity")
        if least < 0:
            raise ValidationException("Minimum capacity cannot be less than 0")
        self.least, self.most = least, most

    def within(self, capacity: int) -> int:
        """The capacity nearest to this one that the bounds allow."""
        return min(max(capacity, self.least), self.most)

    def last_scaled(self) -> Activity | None:
        """The latest activity that has changed the capacity."""
        return next((done for done in self.activities if done.has_scaled), None)

    def describe(self) -> Json:
        """Its row in DescribeScalableTargets."""
        return {
            **identity(self.resource_id),
            "MinCapacity": self.least,
            "MaxCapacity": self.most,
            "RoleARN": self.role_arn,
            "CreationTime": self.creation_time,
            "SuspendedState": dict(self.suspended),
            **present(ScalableTargetARN=self.arn),
        }


def identity(resource_id: str) -> Json:
    """What names a scalable target in every answer."""
    return {"ServiceNamespace": NAMESPACE, "ResourceId": resource_id, "ScalableDimension": DIMENSION}


def new_arn(region: str, account: str) -> str:
    """A scalable target's ARN tells nothing of what it scales."""
    return f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{uuid.uuid4().hex}"
