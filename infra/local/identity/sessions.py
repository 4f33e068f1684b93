"""Sessions of roles: the keys that a call is signed with say who makes it.

They lie in moto's STS store, where GetCallerIdentity finds them, whoever has assumed the role.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from moto.sts.models import AssumedRole, STSBackend, sts_backends

from infra.local.identity.policy import Principal

PARTITION = "aws"
SESSION_SECONDS = 3600
OWN_KEY = "cloud"
"""The access key of the cloud's own calls, which go on no trail."""


@dataclass(frozen=True)
class Session:
    """A role as something acts as it."""

    role_arn: str
    principal: Principal
    keys: Mapping[str, str] = field(repr=False)
    """As boto3.client takes them."""

    @property
    def name(self) -> str:
        """What whoever assumed the role calls itself."""
        return self.principal.arn.rsplit("/", 1)[-1]

    @property
    def access_key_id(self) -> str:
        """What its calls are signed with."""
        return self.keys["aws_access_key_id"]

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables in which a process finds the keys."""
        return {name.upper(): value for name, value in self.keys.items()}


class Sessions:
    """The sessions of one cloud, by the access key that they sign with."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._known: dict[str, Session] = {}
        self._named: dict[tuple[str, str], Session] = {}
        self._lock = threading.Lock()

    def of(self, role_arn: str, name: str) -> Session:
        """The session of a role under a name: one, however often it is asked for."""
        with self._lock:
            if (role_arn, name) not in self._named:
                assumed = self._store.assume_role(
                    self._region, name, role_arn, policy="", duration=SESSION_SECONDS, external_id=""
                )
                self._named[role_arn, name] = self._session(assumed)
            return self._named[role_arn, name]

    def by_key(self, access_key_id: str) -> Session | None:
        """Whose key it is; None if nobody has assumed a role with it."""
        if access_key_id not in self._known and access_key_id.startswith("ASIA"):
            assumed = self._store.get_assumed_role_from_access_key(access_key_id)
            if assumed is not None:
                self._session(assumed)
        return self._known.get(access_key_id)

    @property
    def _store(self) -> STSBackend:
        return sts_backends[self._account][PARTITION]

    def _session(self, assumed: AssumedRole) -> Session:
        names = frozenset({assumed.role_arn, assumed.arn})
        keys = {
            "aws_access_key_id": assumed.access_key_id,
            "aws_secret_access_key": assumed.secret_access_key,
            "aws_session_token": assumed.session_token,
        }
        session = Session(assumed.role_arn, Principal(assumed.arn, self._account, names), keys)
        self._known[assumed.access_key_id] = session
        return session
