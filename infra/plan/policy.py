"""The project's own rules for every resource of a plan. To add one, write a function of a resource and mark it.

checkov's rules (`infra.plan.checkov`) say what is common; these say what this project promises.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from infra.constructs.vpc_config import LOOK_UP
from infra.plan.finding import Finding
from infra.plan.offline import POLICIES, Plan, PlannedResource

Check = Callable[[PlannedResource], Iterator[str]]
Statement = dict[str, Any]

REQUIRED_TAGS: Final = ("environment", "managed-by", "owner", "cost-centre")
MODEL_TAG: Final = "model"
MADE_BY_A_RELEASE: Final = ("aws_sagemaker_endpoint", "aws_sagemaker_endpoint_configuration")
NO_RESOURCE: Final = {
    **dict.fromkeys(LOOK_UP, "EC2 describes networks only whole, and only describes them"),
    "cloudwatch:GetMetricData": "it reads numbers, and no request's data",
    "cloudwatch:PutMetricData": "a condition holds it to our namespaces",
    "ecr:GetAuthorizationToken": "it gives a token that the other actions must allow to use",
}
"""Actions for which AWS names no resource, so that * must stand there, with what holds them instead."""
KNOWN_LATER: Final = object()
"""Takes the place of what a plan leaves out because only the deploy tells it: the ARN of a key of the same stack."""
DESCRIPTION: Final = re.compile(r"^\[(critical|warning)\] .+ Runbook: docs/runbooks/[a-z-]+\.md$", re.DOTALL)
IMAGE_LAYERS: Final = re.compile(r"^arn:aws:s3:::prod-[a-z0-9-]+-starport-layer-bucket/")
PINNED: Final = re.compile(r"(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)$")


@dataclass(frozen=True)
class Rule:
    """One rule: its id, what it asks for, and the check that tells each way a resource breaks it."""

    id: str
    asks: str
    check: Check


RULES: list[Rule] = []


def policy_findings(plans: Iterable[Plan]) -> list[Finding]:
    """What the project's own rules find in plans."""
    return sorted(
        Finding(rule.id, f"{resource.stack}/{resource.address}", message)
        for plan in plans
        for resource in plan.resources
        for rule in RULES
        for message in rule.check(resource)
    )


def rule(id_: str, asks: str, *types: str) -> Callable[[Check], Check]:
    """Make a function a rule, for resources of these types; for every resource without any."""

    def add(check: Check) -> Check:
        RULES.append(Rule(id_, asks, lambda one: check(one) if not types or one.type in types else iter(())))
        return check

    return add


@rule("sagestack-tags", "everything that takes tags says whose it is")
def _tags(resource: PlannedResource) -> Iterator[str]:
    if "tags_all" not in resource.values:
        return
    has = resource.values["tags_all"] or {}
    platform = resource.stack.endswith("-platform")
    if missing := [tag for tag in (*REQUIRED_TAGS, *(() if platform else (MODEL_TAG,))) if not has.get(tag)]:
        yield f"has no tag {', '.join(missing)}: add it to tags in the environment's file"


@rule("sagestack-release-tags", "what a release makes says of which commit it is", *MADE_BY_A_RELEASE)
def _release_tags(resource: PlannedResource) -> Iterator[str]:
    if "tags_all" in resource.values and not (resource.values["tags_all"] or {}).get("commit"):
        yield "has no tag commit: give it the release's tags"


@rule("sagestack-any-action", "no policy allows every action of a service")
def _any_action(resource: PlannedResource) -> Iterator[str]:
    for statement in allowed(resource):
        broad = [action for action in listed(statement.get("Action", "*")) if "*" in action]
        if broad and not _is_key_administration(resource, statement):
            yield f"allows {', '.join(broad)}: name the actions"


@rule("sagestack-any-resource", "a policy names its resources where AWS does")
def _any_resource(resource: PlannedResource) -> Iterator[str]:
    if resource.type != "aws_iam_role_policy":  # elsewhere * is the resource that the policy belongs to
        return
    for statement in allowed(resource):
        loose = [action for action in listed(statement.get("Action", "*")) if action not in NO_RESOURCE]
        if loose and "*" in listed(statement.get("Resource", "*")):
            yield f"allows {', '.join(loose)} on every resource: name the resources"


@rule("sagestack-public", "nothing is open to everyone")
def _public(resource: PlannedResource) -> Iterator[str]:
    for statement in allowed(resource):
        principal = statement.get("Principal", {})
        named = principal.values() if isinstance(principal, dict) else [principal]
        if any("*" in listed(one) for one in named) and not _is_held_otherwise(resource, statement):
            yield "is open to everyone: name the principal"


ON_BEHALF_OF: Final = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "kms:encryptioncontext:aws:logs:arn"}
"""Condition keys that say for whom a service acts; CloudWatch Logs names the log group when it encrypts."""


@rule("sagestack-confused-deputy", "a service is trusted on behalf of this account only")
def _confused_deputy(resource: PlannedResource) -> Iterator[str]:
    for statement in allowed(resource):
        principal = statement.get("Principal")
        known = {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}
        if isinstance(principal, dict) and "Service" in principal and not known & ON_BEHALF_OF:
            yield f"trusts {', '.join(listed(principal['Service']))} for whoever asks: add aws:SourceAccount"


@rule("sagestack-pass-role", "a role is passed to the one service that it is for", "aws_iam_role_policy")
def _pass_role(resource: PlannedResource) -> Iterator[str]:
    for statement in allowed(resource):
        condition = statement.get("Condition", {}).get("StringEquals", {})
        if "iam:PassRole" in listed(statement.get("Action", "*")) and not condition.get("iam:PassedToService"):
            yield "passes roles to any service: add the condition iam:PassedToService"


@rule("sagestack-log-group", "logs are encrypted and end some day", "aws_cloudwatch_log_group")
def _log_group(resource: PlannedResource) -> Iterator[str]:
    if resource.values.get("kms_key_id", KNOWN_LATER) is None:
        yield "is not encrypted with a key of yours: set kms_key_id"
    if not resource.values.get("retention_in_days"):
        yield "is kept for ever: set retention_in_days"


@rule("sagestack-alarm", "an alarm tells somebody how bad it is and what to do", "aws_cloudwatch_metric_alarm")
def _alarm(resource: PlannedResource) -> Iterator[str]:
    if "alarm_actions" not in resource.values:  # known after the deploy: the alarm scales, and tells nobody
        return
    if not resource.values["alarm_actions"]:
        yield "tells nobody: set alarm_actions"
    if not DESCRIPTION.match(resource.values.get("alarm_description") or ""):
        yield "must be described as `[critical] What it means. Runbook: docs/runbooks/x.md`"


@rule("sagestack-pinned-image", "a container runs an image that cannot change", "aws_sagemaker_model")
def _pinned_image(resource: PlannedResource) -> Iterator[str]:
    containers = [*(resource.values.get("primary_container") or []), *(resource.values.get("container") or [])]
    for image in (one["image"] for one in containers if one.get("image")):
        if not PINNED.search(image):
            yield f"runs {image}, which may be another one tomorrow: name a tag or digest"


@rule("sagestack-capture", "captured requests are encrypted", "aws_sagemaker_endpoint_configuration")
def _capture(resource: PlannedResource) -> Iterator[str]:
    if any(not capture.get("kms_key_id") for capture in resource.values.get("data_capture_config") or []):
        yield "captures requests without a key of yours: set kms_key_id"


def allowed(resource: PlannedResource) -> Iterator[Statement]:
    """The Allow statements of a resource's policies."""
    for attribute in POLICIES:
        if text := resource.values.get(attribute):
            yield from (one for one in listed(json.loads(text).get("Statement", [])) if one["Effect"] == "Allow")


def _is_held_otherwise(resource: PlannedResource, statement: Statement) -> bool:
    """A VPC endpoint's policy cannot name an account; a condition does, and ECR signs for its layers itself."""
    if resource.type != "aws_vpc_endpoint":
        return False
    ours = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount")
    return bool(ours) or all(map(IMAGE_LAYERS.match, listed(statement["Resource"])))


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - policies take one or a list of everything
    """IAM's one or many, as many."""
    return list(value) if isinstance(value, list) else [value]


def _is_key_administration(resource: PlannedResource, statement: Statement) -> bool:
    """A key's policy must leave it to IAM's, or nobody could ever change it."""
    principal = statement.get("Principal")
    root = principal.get("AWS", "") if isinstance(principal, dict) else ""
    return resource.type == "aws_kms_key" and str(root).endswith(":root")
