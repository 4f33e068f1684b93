"""What the governor needs to put new data off: EventBridge Scheduler's role, and leave to make schedules for it."""

from typing import Any

from infra.constructs.permissions import ServiceRole, allow
from infra.constructs.platform import Platform
from infra.naming import ModelNames
from infra.provider import Construct

MOMENT = "?" * 10
"""A schedule's name ends with the minute that it is for, such as 1304010215."""


class Debounce(Construct):
    """The governor makes one-time schedules, and Scheduler calls the governor; neither may do more."""

    def __init__(self, scope: Construct, id_: str, *, names: ModelNames, platform: Platform, minutes: int) -> None:
        super().__init__(scope, id_)
        self._names, self._platform, self._minutes = names, platform, minutes
        self._role = ServiceRole(
            self, "role", name=f"{names.base}-debounce", service="scheduler.amazonaws.com", names=names.environment
        )
        self._role.grant(allow(["lambda:InvokeFunction"], [names.governor_arn]))
        platform.undecided.grant_send(self._role)
        platform.key.grant_use(self._role)  # the schedule's input, and the queue's messages
        self._role.attach()

    def spec(self) -> dict[str, Any]:
        """What the governor is told (`monitoring.governor.spec.Debounce`)."""
        return {
            "minutes": self._minutes,
            "schedules": self._names.base,
            "function": self._names.governor_arn,
            "role": self._role.arn,
            "undecided": self._platform.undecided.arn,
            "key": self._platform.key.arn,
        }

    def grant_put_off(self, role: ServiceRole) -> None:
        """Make one-time schedules that call the governor."""
        names = self._names.environment
        self._platform.key.grant_name(role)
        schedules = f"arn:aws:scheduler:{names.region}:{names.account}:schedule/default/{self._names.base}-{MOMENT}"
        role.grant(
            allow(["scheduler:CreateSchedule"], [schedules]),
            allow(["iam:PassRole"], [self._role.arn], StringEquals={"iam:PassedToService": "scheduler.amazonaws.com"}),
        )
