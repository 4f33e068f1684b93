"""Stands before every service: what is called in the name of a role is called only if the role may.

Whoever signs with keys of nobody's (people, Terraform) may do anything; what they change is noted.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from infra.local.identity.api_call import RUNTIME_PATH, ApiCall, Signature, read, signature
from infra.local.identity.authority import AccessDeniedError, Authority
from infra.local.identity.conditions import UnsupportedPolicyError
from infra.local.identity.encryption import Keys
from infra.local.identity.needs import Need, Needs
from infra.local.identity.reading import is_change, is_reading
from infra.local.identity.resources import Place
from infra.local.identity.sessions import OWN_KEY, Session
from infra.local.unsupported import UNSUPPORTED, Environ, StartResponse, error_response

ALWAYS_ALLOWED: Final = ("GetCallerIdentity",)
XML: Final = ("s3", "iam", "sns", "sts", "ec2", "sqs")
"""Services whose error is called AccessDenied; elsewhere it is AccessDeniedException."""


class Gate:
    """Lets a request pass, or answers it."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._needs: dict[str, Needs] = {}

    def refusal(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        """The answer to a request that may not pass; None for one that may."""
        signed = signature(environ)
        if signed is None or signed.key == OWN_KEY:
            return None
        session = self._authority.sessions.by_key(signed.key)
        if session is None:
            if not _is_of_data(environ, signed.service) and (call := read(environ, signed.service)):
                self._note(signed, call)
            return None
        try:
            self._ask(session, self._needed(signed, read(environ, signed.service)))
        except AccessDeniedError as error:
            code = "AccessDenied" if signed.service in XML else "AccessDeniedException"
            is_json = "HTTP_X_AMZ_TARGET" in environ
            status = HTTPStatus.BAD_REQUEST if is_json else HTTPStatus.FORBIDDEN
            return error_response(environ, start_response, code, str(error), status=status)
        except UnsupportedPolicyError as error:
            message = f"The local cloud cannot tell whether {session.role_arn} may: it does not know {error}."
            return error_response(environ, start_response, UNSUPPORTED, message)
        return None

    def _ask(self, session: Session, needed: Iterable[Need]) -> None:
        for need in needed:
            self._authority.require(session, need.action, need.resource, need.known)

    def _needed(self, signed: Signature, call: ApiCall | None) -> Iterable[Need]:
        if call is None:
            raise UnsupportedPolicyError("the operation")
        if call.operation in ALWAYS_ALLOWED:
            return ()
        if signed.region not in self._needs:
            self._needs[signed.region] = Needs(Keys(Place(self._authority.place.account, signed.region)))
        return self._needs[signed.region].of(call)

    def _note(self, signed: Signature, call: ApiCall) -> None:
        if is_change(call.service, call.operation):
            need = next(iter(self._needed(signed, call)))
            self._authority.note(signed.key, need.action, need.resource)


def _is_of_data(environ: Environ, service: str) -> bool:
    """Whether a request is seen at a glance to change no setting: those come by the hundred a second."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return is_reading(environ["HTTP_X_AMZ_TARGET"].rsplit(".", 1)[-1])
    path: str = environ["PATH_INFO"]
    is_object = service == "s3" and "/" in path.strip("/")
    return environ["REQUEST_METHOD"] in {"GET", "HEAD"} or is_object or path.startswith(RUNTIME_PATH)
