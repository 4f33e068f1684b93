"""Whoever calls in the name of a role, or as a service, is asked here whether it may; each answer goes on the trail."""

from infra.local.clock import Clock
from infra.local.identity.conditions import Context, context
from infra.local.identity.encryption import Keys
from infra.local.identity.evaluation import Decision, decide
from infra.local.identity.policy import Access, Principal
from infra.local.identity.resources import Place
from infra.local.identity.sessions import Session, Sessions
from infra.local.identity.stored_policies import StoredPolicies
from infra.local.identity.trail import Entry, Trail

SOURCE_OWNERS = ("cloudwatch.amazonaws.com",)
"""Services that a topic's default policy lets in, since they tell it whose alarm it is."""


class AccessDeniedError(Exception):
    """An access that no policy allows or one denies, in AWS's words."""


class Authority:
    """Decides, and keeps the trail, for one cloud."""

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self.place = Place(account, region)
        self.keys = Keys(self.place)
        self._clock = clock
        self._policies = StoredPolicies(account)
        self.sessions = Sessions(account, region)
        self.trail = Trail()

    def assume(self, role_arn: str, service: str, *, source_arn: str, name: str = "SageMaker") -> Session:
        """Have a service act as a role, if the role's trust policy lets it.

        Args:
            role_arn: the role.
            service: who is to act, as `sagemaker.amazonaws.com`.
            source_arn: the resource on whose behalf.
            name: what the service calls its session.

        Raises:
            AccessDeniedError: the role does not trust the service, or is not there.
        """
        self.require_of_service(service, "sts:AssumeRole", role_arn, source_arn=source_arn)
        return self.sessions.of(role_arn, name)

    def require(self, session: Session, action: str, resource: str | None, known: Context | None = None) -> None:
        """Ask whether a role's session may do something.

        Args:
            session: who.
            action: what, as `s3:GetObject`.
            resource: an ARN; `*` where AWS names none, None if it is not known here.
            known: condition keys of the request.

        Raises:
            AccessDeniedError: it may not.
            UnsupportedPolicyError: that cannot be told.
        """
        about = {"aws:PrincipalArn": session.role_arn, "aws:PrincipalType": "AssumedRole"}
        access = Access(session.principal, action, resource, {**self._context(about), **(known or {})})
        self._require(access, session)

    def require_of_service(self, service: str, action: str, resource: str, *, source_arn: str) -> None:
        """Ask whether an AWS service may do something by the resource's own policy.

        Raises:
            AccessDeniedError: it may not.
            UnsupportedPolicyError: that cannot be told.
        """
        principal = Principal(service, self.place.account, service=service)
        about = {
            "aws:SourceArn": source_arn,
            "aws:SourceAccount": self.place.account,
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": service,
        }
        if service in SOURCE_OWNERS:
            about["aws:SourceOwner"] = self.place.account
        self._require(Access(principal, action, resource, self._context(about)), None)

    def note(self, access_key_id: str, action: str, resource: str | None) -> None:
        """Keep on the trail what somebody does who may do anything."""
        somebody = Principal(f"arn:aws:iam::{self.place.account}:root", self.place.account)
        self._keep(Access(somebody, action, resource), None, access_key_id, Decision(allowed=True))

    def _require(self, access: Access, session: Session | None) -> None:
        role_arn = None if session is None else session.role_arn
        decision = decide(access, self._policies.about(access, role_arn))
        self._keep(access, role_arn, "" if session is None else session.access_key_id, decision)
        if not decision.allowed:
            raise AccessDeniedError(_words(access, decision))

    def _keep(self, access: Access, role_arn: str | None, access_key_id: str, decision: Decision) -> None:
        at, action, resource = self._clock.now(), access.action, access.resource
        self.trail.add(Entry(at, access.principal, role_arn, access_key_id, action, resource, decision))

    def _context(self, about: dict[str, str]) -> Context:
        now = self._clock.now()
        return context(
            **{
                "aws:SecureTransport": "true",  # loopback stands in for TLS
                "aws:RequestedRegion": self.place.region,
                "aws:PrincipalAccount": self.place.account,
                "aws:CurrentTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "aws:EpochTime": str(int(now.timestamp())),
                **about,
            }
        )


def _words(access: Access, decision: Decision) -> str:
    resource = access.resource or "an unknown resource"
    told = f'"{resource}"' if access.action.startswith("s3:") else resource
    return (
        f"User: {access.principal.arn} is not authorized to perform: {access.action} on resource: {told}"
        f" {decision.why_not}"
    )
