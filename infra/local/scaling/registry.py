"""What Application Auto Scaling was told: targets, their policies and scheduled actions."""

import threading
from dataclasses import dataclass, field

from moto.core.exceptions import ServiceException

from infra.local.cloud import LocalCloud
from infra.local.events.timetable import Recurring
from infra.local.scaling.policy import Policy
from infra.local.scaling.scheduled import ScheduledAction
from infra.local.scaling.target import DIMENSION, NAMESPACE, ScalableTarget
from infra.local.validation import Json


class ObjectNotFoundException(ServiceException):  # type: ignore[misc] # moto has no types to follow
    """There is no such target, policy or action."""

    code = "ObjectNotFoundException"


@dataclass
class Registry:
    """Everything, in the order in which it was made."""

    cloud: LocalCloud
    targets: dict[str, ScalableTarget] = field(default_factory=dict)
    """By resource id."""
    policies: list[Policy] = field(default_factory=list)
    actions: list[ScheduledAction] = field(default_factory=list)
    recurring: Recurring = field(init=False)
    changing: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.recurring = Recurring(self.cloud.clock)

    def target(self, resource_id: str) -> ScalableTarget:
        """A target that is registered.

        Raises:
            ObjectNotFoundException: it is not.
        """
        if resource_id not in self.targets:
            raise missing("scalable target registered", resource_id)
        return self.targets[resource_id]

    def targets_of(self, endpoint: str) -> list[ScalableTarget]:
        """The targets among an endpoint's variants."""
        return [target for target in list(self.targets.values()) if target.endpoint == endpoint]

    def policies_of(self, target: ScalableTarget) -> list[Policy]:
        """A target's policies."""
        return [policy for policy in list(self.policies) if policy.target is target]

    def policy(self, resource_id: str, name: str) -> Policy | None:
        """A target's policy of that name."""
        return next((p for p in self.policies if (p.target.resource_id, p.name) == (resource_id, name)), None)

    def action(self, resource_id: str, name: str) -> ScheduledAction | None:
        """A target's scheduled action of that name."""
        return next((a for a in self.actions if (a.target.resource_id, a.name) == (resource_id, name)), None)

    def drop_policy(self, policy: Policy) -> None:
        """Forget a policy, and delete the alarms that were made for it."""
        with self.changing:
            self.policies.remove(policy)
        self.delete_alarms(policy)

    def drop_action(self, action: ScheduledAction) -> None:
        """Forget a scheduled action, which fires no more."""
        with self.changing:
            self.actions.remove(action)
        self.recurring.disarm(action.arn)

    def remove(self, target: ScalableTarget) -> None:
        """Forget a target with all that hangs on it."""
        with self.changing:
            if self.targets.pop(target.resource_id, None) is None:
                return
            policies = self.policies_of(target)
            actions = [action for action in self.actions if action.target is target]
        for policy in policies:
            self.drop_policy(policy)
        for action in actions:
            self.drop_action(action)

    def delete_alarms(self, policy: Policy) -> None:
        """Delete the alarms that were made for a policy."""
        if names := [alarm.name for alarm in policy.alarms]:
            self.cloud.client("cloudwatch").delete_alarms(AlarmNames=names)


def missing(what: str, resource_id: str) -> ObjectNotFoundException:
    """The error for something that is not there."""
    return ObjectNotFoundException(
        f"No {what} for service namespace: {NAMESPACE}, resource ID: {resource_id}, scalable dimension: {DIMENSION}"
    )


def paged(rows: list[Json], request: Json) -> tuple[list[Json], Json]:
    """One page of an answer's rows, and the token of the next, if there is one."""
    start, size = int(request.get("NextToken") or 0), request.get("MaxResults", 50)
    token = {"NextToken": str(start + size)} if len(rows) > start + size else {}
    return rows[start : start + size], token
