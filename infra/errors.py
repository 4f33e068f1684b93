"""Errors that are the user's to mend: shown as a plain message, without a traceback, by `infra.cli`."""

from typing import ClassVar


class UserError(Exception):
    """A mistake in what the user wrote or asked for; the message says what, where, which rule, and how to mend it."""

    exit_code: ClassVar[int] = 2


class CheckFailed(UserError):  # noqa: N818 - a failed check is an answer, not an error
    """A check ran and its answer is no (live differs from intended, a tool is missing, a file is out of step)."""

    exit_code: ClassVar[int] = 1
