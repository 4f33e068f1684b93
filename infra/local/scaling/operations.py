"""Application Auto Scaling's operations, for variants of endpoints; any other target is refused."""

import uuid
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.scaling import step_scaling, target_tracking
from infra.local.scaling.policy import CONFIGURATION, Policy
from infra.local.scaling.reactions import Reactions
from infra.local.scaling.registry import Registry, missing, paged
from infra.local.scaling.scaler import Scaler
from infra.local.scaling.target import NAMESPACE, ScalableTarget, identity, new_arn
from infra.local.validation import Json, UnsupportedOperation, ValidationException

CHECKS = {"StepScaling": step_scaling.check, "TargetTrackingScaling": target_tracking.check}
SERVICE_ROLE = (
    "arn:aws:iam::{}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


class Operations:
    """Targets and policies."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self.registry = Registry(cloud)
        self._scaler = Scaler(cloud)
        self.reactions = Reactions(cloud, self.registry, self._scaler)

    def register_scalable_target(self, request: Json) -> Json:
        """Make a target, or give one other bounds."""
        with self.registry.changing:
            target = self.registry.targets.get(request["ResourceId"]) or self._new_target(request)
            target.bound(request.get("MinCapacity"), request.get("MaxCapacity"))
            target.suspended |= request.get("SuspendedState", {})
            target.tags |= request.get("Tags", {})
            self.registry.targets[target.resource_id] = target
        self.reactions.look(target)
        return {"ScalableTargetARN": target.arn}

    def deregister_scalable_target(self, request: Json) -> Json:
        """Forget a target, its policies and scheduled actions."""
        self.registry.remove(self.registry.target(request["ResourceId"]))
        return {}

    def describe_scalable_targets(self, request: Json) -> Json:
        """Tell the targets."""
        wanted = request.get("ResourceIds")
        targets = [t for t in self.registry.targets.values() if not wanted or t.resource_id in wanted]
        return self._page("ScalableTargets", [target.describe() for target in targets], request)

    def put_scaling_policy(self, request: Json) -> Json:
        """Make a policy, or change one, and its alarms."""
        target = self.registry.target(request["ResourceId"])
        before = self.registry.policy(target.resource_id, request["PolicyName"])
        kind = request.get("PolicyType") or (before.kind if before else "StepScaling")
        if kind not in CHECKS:
            raise UnsupportedOperation(f"PolicyType {kind}; it knows {', '.join(CHECKS)}")
        if before and before.kind != kind:
            raise ValidationException(f"You cannot change the type of policy {before.name} from {before.kind}.")
        config = request.get(CONFIGURATION[kind]) or (before.config if before else {})
        CHECKS[kind](config)
        arn = before.arn if before else self._policy_arn(request)
        now = before.creation_time if before else self._cloud.clock.now()
        policy = Policy(request["PolicyName"], arn, target, kind, config, now)
        if policy.tracks:
            policy.alarms = tuple(target_tracking.alarms(config, target, arn))
        self._replace(before, policy)
        return {"PolicyARN": arn, "Alarms": policy.alarm_rows(self._cloud.region, self._cloud.account)}

    def delete_scaling_policy(self, request: Json) -> Json:
        """Forget a policy and delete its alarms."""
        policy = self.registry.policy(request["ResourceId"], request["PolicyName"])
        if policy is None:
            raise missing("scaling policy found", request["ResourceId"])
        self.registry.drop_policy(policy)
        return {}

    def describe_scaling_policies(self, request: Json) -> Json:
        """Tell the policies."""
        names, resource = request.get("PolicyNames"), request.get("ResourceId")
        rows = [
            policy.describe(self._cloud.region, self._cloud.account)
            for policy in self.registry.policies
            if (not names or policy.name in names) and resource in (None, policy.target.resource_id)
        ]
        return self._page("ScalingPolicies", rows, request)

    def describe_scaling_activities(self, request: Json) -> Json:
        """Tell what was done, newest first; what was not, only if asked."""
        resource, also_not = request.get("ResourceId"), request.get("IncludeNotScaledActivities", False)
        rows = [
            activity.describe(identity(target.resource_id))
            for target in self.registry.targets.values()
            for activity in target.activities
            if resource in (None, target.resource_id) and (also_not or activity.not_scaled_reason is None)
        ]
        return self._page("ScalingActivities", sorted(rows, key=_start, reverse=True), request)

    def _page(self, member: str, rows: list[Json], request: Json) -> Json:
        page, token = paged(rows, request)
        return {member: page, **token}

    def _new_target(self, request: Json) -> ScalableTarget:
        if "MinCapacity" not in request or "MaxCapacity" not in request:
            raise ValidationException("MinCapacity and MaxCapacity must be specified for a new scalable target")
        arn, role = new_arn(self._cloud.region, self._cloud.account), SERVICE_ROLE.format(self._cloud.account)
        target = ScalableTarget(request["ResourceId"], arn, self._cloud.clock.now(), request.get("RoleARN", role))
        if self._scaler.capacity(target) is None:
            raise ValidationException(f"SageMaker endpoint variant doesn't exist: {target.resource_id}")
        return target

    def _policy_arn(self, request: Json) -> str:
        prefix = f"arn:aws:autoscaling:{self._cloud.region}:{self._cloud.account}:scalingPolicy:{uuid.uuid4()}"
        return f"{prefix}:resource/{NAMESPACE}/{request['ResourceId']}:policyName/{request['PolicyName']}"

    def _replace(self, before: Policy | None, policy: Policy) -> None:
        if before:
            self.registry.drop_policy(before)
        with self.registry.changing:
            self.registry.policies.append(policy)
        for alarm in policy.alarms:
            self._cloud.client("cloudwatch").put_metric_alarm(**alarm.definition)


def _start(row: Json) -> Any:  # noqa: ANN401 - a moment
    return row["StartTime"]
