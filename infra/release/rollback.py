"""Going back to the release before: the lock that says so, whatever what it goes back from has raised."""

from infra.config import Project, ReleaseLock
from infra.errors import UserError
from infra.release.deploy import Say, check
from infra.release.intended import intended
from infra.release.intended_batch import IntendedBatch
from infra.release.promote import gone_back, write_lock
from infra.release.raised import raised_alarms
from infra.release.verify import found
from infra.session import client


def go_back(project: Project, model: str, *, say: Say) -> ReleaseLock:
    """Write the lock of the release before, unless it was gone back to already; the lock that holds now.

    Args:
        project: the project in its environment.
        model: the model's name.
        say: tells a line.

    Raises:
        CheckFailed: that release could not be deployed; the lock is as it was.
        UserError: there is no release before.
    """
    lock = project.lock(model)
    if lock is None:
        raise UserError(f"{model} has no release in {project.environment.name}: there is nothing to go back from")
    back, path = gone_back(lock, model), project.lock_path(model)
    write_lock(back, path)
    try:
        if raised := _raised(project.reloaded(), model):
            by_whom = "maybe by what is gone back from: only alarms on the instances that come take this update back"
            say(f"raised already: {', '.join(raised)}, {by_whom}")
            back = back.model_copy(update={"despite_alarms": True})
            write_lock(back, path)
        check(project.reloaded(), model)
    except UserError:
        write_lock(lock, path)
        raise
    return back


def _raised(project: Project, model: str) -> list[str]:
    """The alarms that would take the declared update back at once."""
    declared = intended(project.environment.name, model)
    if isinstance(declared, IntendedBatch):
        return []
    endpoint = found(client(project.environment, "sagemaker").describe_endpoint, EndpointName=declared.endpoint)
    return [] if endpoint is None else raised_alarms(project.environment, declared, endpoint["EndpointConfigName"])
