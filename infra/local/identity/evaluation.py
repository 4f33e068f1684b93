"""Whether an access is allowed, by all the policies that have a say in it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from dataclasses import dataclass
from typing import Final

from infra.local.identity.policy import Access, Match, Policy

IDENTITY: Final = "identity-based policy"
BOUNDARY: Final = "permissions boundary"
RESOURCE: Final = "resource-based policy"


@dataclass(frozen=True)
class Policies:
    """What is asked about one access, all within one account."""

    identity: tuple[Policy, ...] = ()
    """Of who asks; an AWS service has none."""
    boundary: Policy | None = None
    """The most that who asks may be allowed by its own policies."""
    resource: Policy | None = None
    """Of what is asked for."""
    resource_decides: bool = False
    """Whether the resource's own policy must allow, or leave it to the account: keys and roles."""


@dataclass(frozen=True)
class Decision:
    """Yes or no, and why not."""

    allowed: bool
    why_not: str = ""
    """In AWS's words, as they end an AccessDenied."""


def decide(access: Access, policies: Policies) -> Decision:
    """Decide one access.

    A permissions boundary limits what a resource's policy allows a role, too; on AWS it does not where that policy
    names the very session.

    Raises:
        UnsupportedPolicyError: a policy holds what cannot be evaluated here.
    """
    if denied := _denied(access, policies):
        return Decision(allowed=False, why_not=f"with an explicit deny in {_article(denied)}")
    by_resource = _named(access, "Allow", policies.resource or ())
    by_identity = any(_named(access, "Allow", policy) for policy in policies.identity)
    if not _is_granted(policies, by_identity=by_identity, by_resource=by_resource):
        lacking = RESOURCE if access.principal.service or (by_identity and policies.resource_decides) else IDENTITY
        return Decision(allowed=False, why_not=_lacking(lacking, access.action))
    if policies.boundary is not None and not _named(access, "Allow", policies.boundary):
        return Decision(allowed=False, why_not=_lacking(BOUNDARY, access.action))
    return Decision(allowed=True)


def _is_granted(policies: Policies, *, by_identity: bool, by_resource: set[Match]) -> bool:
    if "itself" in by_resource:
        return True
    return by_identity and (not policies.resource_decides or "account" in by_resource)


def _denied(access: Access, policies: Policies) -> str | None:
    """The kind of the policy that denies it in so many words, if one does."""
    given = [
        *((IDENTITY, policy) for policy in policies.identity),
        (BOUNDARY, policies.boundary or ()),
        (RESOURCE, policies.resource or ()),
    ]
    return next((kind for kind, policy in given if _named(access, "Deny", policy)), None)


def _named(access: Access, effect: str, policy: Policy) -> set[Match]:
    """How the statements with this effect that speak of the access name who asks."""
    return {named for one in policy if one.effect == effect and (named := one.applies_to(access))}


def _lacking(kind: str, action: str) -> str:
    return f"because no {kind} allows the {action} action"


def _article(kind: str) -> str:
    return f"an {kind}" if kind == IDENTITY else f"a {kind}"
