"""A policy's statements: whom, what and which resources each speaks of.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from infra.local.identity.conditions import Context, UnsupportedPolicyError, hold
from infra.local.identity.wildcards import matches_action, matches_arn

Json = dict[str, Any]
Match = Literal["itself", "account"]
"""How a statement names a principal: itself, or only the account that it belongs to."""


@dataclass(frozen=True)
class Principal:
    """Who asks, by every name that a policy may know it by."""

    arn: str
    """What errors and the trail call it; of an AWS service, its name."""
    account: str
    arns: frozenset[str] = frozenset()
    """Of a role's session: the role's and the session's own."""
    service: str | None = None
    """Of an AWS service that acts by itself: `events.amazonaws.com`."""


@dataclass(frozen=True)
class Access:
    """What is asked: one action on one resource."""

    principal: Principal
    action: str
    resource: str | None
    """Its ARN; `*` where AWS names none, None where it is not known here, so that any statement's will do."""
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """One statement."""

    effect: Literal["Allow", "Deny"]
    speaks_of_action: Callable[[str], bool]
    speaks_of_resource: Callable[[str], bool]
    names: Callable[[Principal], Match | None]
    conditions: Mapping[str, Mapping[str, Any]]

    def applies_to(self, access: Access) -> Match | None:
        """Whether it speaks of an access, and how it names who asks.

        Raises:
            UnsupportedPolicyError: it cannot be told.
        """
        if not self.speaks_of_action(access.action):
            return None
        if access.resource is not None and not self.speaks_of_resource(access.resource):
            return None
        named = self.names(access.principal)
        return named if named and hold(self.conditions, access.context) else None


Policy = tuple[Statement, ...]


@lru_cache(maxsize=1024)
def parse(document: str) -> Policy:
    """A policy from its JSON; the same text gives the same object.

    Raises:
        UnsupportedPolicyError: it holds what cannot be evaluated here.
    """
    statements = json.loads(document).get("Statement", [])
    return tuple(_statement(one) for one in (statements if isinstance(statements, list) else [statements]))


def _statement(given: Json) -> Statement:
    return Statement(
        given["Effect"],
        _speaker(given, "Action", matches_action),
        _speaker(given, "Resource", matches_arn),
        _namer(given),
        given.get("Condition", {}),
    )


def _speaker(given: Json, element: str, match: Callable[[str, str], bool]) -> Callable[[str], bool]:
    """Whether a text is one of those in `element`, or none of those in `Not<element>`; without either, any is."""
    negated = f"Not{element}" in given
    patterns = _listed(given.get(f"Not{element}" if negated else element, "*"))
    if any("${" in pattern for pattern in patterns):
        raise UnsupportedPolicyError(f"the policy variable in {element}")
    return lambda text: any(match(pattern, text) for pattern in patterns) != negated


def _namer(given: Json) -> Callable[[Principal], Match | None]:
    """How a principal is named: by an identity's own policy always itself, as it names nobody."""
    if "NotPrincipal" in given:
        named = _names(given["NotPrincipal"])
        return lambda principal: None if named(principal) else "itself"
    return _names(given["Principal"]) if "Principal" in given else lambda _: "itself"


def _names(element: str | Json) -> Callable[[Principal], Match | None]:
    kinds = {"AWS": element} if isinstance(element, str) else element
    aws, services = set(_listed(kinds.get("AWS", []))), set(_listed(kinds.get("Service", [])))

    def name(principal: Principal) -> Match | None:
        if "*" in aws or principal.arns & aws or principal.service in services:
            return "itself"
        accounts = {principal.account, f"arn:aws:iam::{principal.account}:root"}
        return "account" if principal.service is None and accounts & aws else None

    return name


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
