"""How a job ends when it cannot do what it was asked."""


class JobError(Exception):
    """The spec or the data cannot be used; the message says what, where, which rule, and how to mend it."""


class JobStopped(Exception):  # noqa: N818 - being told to stop is no error
    """The job was told to stop (SIGTERM) before it was done."""
