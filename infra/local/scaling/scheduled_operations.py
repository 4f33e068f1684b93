"""Application Auto Scaling's operations on scheduled actions."""

import uuid
from datetime import datetime

from infra.local.cloud import LocalCloud
from infra.local.scaling.reactions import Reactions
from infra.local.scaling.registry import Registry, missing, paged
from infra.local.scaling.scheduled import ScheduledAction
from infra.local.scaling.target import NAMESPACE
from infra.local.validation import Json, ValidationException


class ScheduledOperations:
    """Makes scheduled actions fire by the cloud's clock."""

    def __init__(self, cloud: LocalCloud, registry: Registry, reactions: Reactions) -> None:
        self._cloud, self._registry, self._reactions = cloud, registry, reactions

    def put(self, request: Json) -> Json:
        """Make an action, or change one: its times are those of this request, whatever they were."""
        target = self._registry.target(request["ResourceId"])
        before = self._registry.action(target.resource_id, request["ScheduledActionName"])
        schedule = request.get("Schedule") or (before.schedule if before else None)
        if schedule is None:
            raise ValidationException("Schedule must be specified for a new scheduled action")
        action = ScheduledAction(
            request["ScheduledActionName"],
            before.arn if before else self._arn(request),
            target,
            schedule,
            before.creation_time if before else self._cloud.clock.now(),
            request.get("Timezone", before.zone if before else None),
            request.get("StartTime"),
            request.get("EndTime"),
            request.get("ScalableTargetAction", before.bounds if before else None),
        )
        due = action.timetable()
        if before:
            self._registry.drop_action(before)
        with self._registry.changing:
            self._registry.actions.append(action)
        self._registry.recurring.arm(action.arn, due, lambda moment: self._fire(action, moment))
        return {}

    def delete(self, request: Json) -> Json:
        """Forget an action."""
        action = self._registry.action(request["ResourceId"], request["ScheduledActionName"])
        if action is None:
            raise missing("scheduled action found", request["ResourceId"])
        self._registry.drop_action(action)
        return {}

    def describe(self, request: Json) -> Json:
        """Tell the actions."""
        names, resource = request.get("ScheduledActionNames"), request.get("ResourceId")
        rows = [
            action.describe()
            for action in self._registry.actions
            if (not names or action.name in names) and resource in (None, action.target.resource_id)
        ]
        page, token = paged(rows, request)
        return {"ScheduledActions": page, **token}

    def _fire(self, action: ScheduledAction, moment: datetime) -> None:
        if not action.target.suspended["ScheduledScalingSuspended"]:
            action.apply(moment)
            self._reactions.look(action.target)

    def _arn(self, request: Json) -> str:
        prefix = f"arn:aws:autoscaling:{self._cloud.region}:{self._cloud.account}:scheduledAction:{uuid.uuid4()}"
        where = f"resource/{NAMESPACE}/{request['ResourceId']}"
        return f"{prefix}:{where}:scheduledActionName/{request['ScheduledActionName']}"
