"""One model's deploy from end to end: look first, deploy as `cdktf deploy` does, verify, keep a receipt."""

from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from infra import toolchain
from infra.config import ENVIRONMENT_VARIABLE, MODELS_VARIABLE, FileState, Project, ReleaseLock
from infra.errors import CheckFailed
from infra.processes import Children
from infra.release.file_state import mend
from infra.release.intended import Intended, intended
from infra.release.intended_batch import IntendedBatch
from infra.release.preflight import obstacles
from infra.release.promote import commit_of
from infra.release.receipts import Receipts, told
from infra.release.state_lock import told_lock
from infra.release.under_way import await_rest
from infra.release.verify import Difference, differences
from infra.release.verify_batch import batch_differences

Say = Callable[[str], None]


def released(project: Project, model: str) -> ReleaseLock:
    """The model's release lock.

    Raises:
        CheckFailed: nothing is meant to be live.
    """
    name, lock = project.environment.name, project.lock(model)
    if lock is None:
        nothing = f"{model} has no release in {name}, so nothing is meant to be live"
        raise CheckFailed(f"{nothing}: sagestack promote {model} --env {name}")
    return lock


def check(project: Project, model: str) -> None:
    """Refuse a deploy that could not work, or could not be taken back.

    Raises:
        CheckFailed: with every obstacle.
    """
    lock = released(project, model)
    if found := list(obstacles(project.environment, intended(project.environment.name, model), lock)):
        lines = "\n".join(f"  {one}" for one in found)
        raise CheckFailed(f"{model} cannot be deployed to {project.environment.name}; nothing was changed:\n{lines}")


def wait(project: Project, model: str, *, say: Say) -> None:
    """Wait for the end of an update that is under way: of a deploy that was killed, say, or one that is taken back.

    Args:
        project: the project in its environment.
        model: the model's name.
        say: tells a line.

    Raises:
        CheckFailed: it has not ended within an hour.
    """
    await_rest(project.environment, project.environment.names.model(model).base, say=say)


def deploy(project: Project, model: str, *, say: Say) -> None:
    """Deploy the model's stack with `cdktf`, whose output is shown as it comes.

    Killed, it leaves no command line behind to meet the next run's; only what Terraform has begun to apply is applied.

    Args:
        project: the project in its environment.
        model: the model's name.
        say: tells a line.

    Raises:
        ToolFailed: it ended with an error.
    """
    name = project.environment.name
    arguments = ["deploy", f"{name}-{model}", "--auto-approve", "--ignore-missing-stack-dependencies"]
    _mend_states(project, say)
    children = Children()
    try:
        toolchain.cdktf(
            arguments,
            folder=project.folder,
            variables={ENVIRONMENT_VARIABLE: name, MODELS_VARIABLE: model},
            started=children.add,
            steady=True,
        )
    except toolchain.ToolFailed as failed:
        lock = told_lock(project.environment, project.folder, f"{name}-{model}")
        raise toolchain.ToolFailed(f"{failed}{lock}{_what_is_live(project, model, say)}") from failed
    finally:
        children.stop()


def _mend_states(project: Project, say: Say) -> None:
    state = project.environment.state
    if not isinstance(state, FileState):
        return
    for file in sorted((project.folder / state.directory).glob("*.tfstate")):
        if mend(file):
            say(f"{file} was torn when Terraform was killed; it is as it was before that run again")


def verify(project: Project, model: str, *, by: str, say: Say) -> None:
    """Compare what is live with what is declared, and keep a receipt, once a deploy.

    Args:
        project: the project in its environment.
        model: the model's name.
        by: who verifies.
        say: tells a line.

    Raises:
        CheckFailed: with the difference.
    """
    environment, lock = project.environment, released(project, model)
    wait(project, model, say=say)
    declared, found = _compared(project, model, lock)
    if not any(what in {"endpoint", "schedule"} and live == "does not exist" for what, _, live in found):
        _keep_receipt(project, declared, lock, found, by=by, say=say)
    if found:
        raise CheckFailed(_not_as_declared(environment.name, model, declared, found))
    say(f"{model} in {environment.name} is live as declared: {declared.configuration}")


def _compared(project: Project, model: str, lock: ReleaseLock) -> tuple[Intended | IntendedBatch, list[Difference]]:
    """What is declared, and how what is live differs."""
    declared = intended(project.environment.name, model)
    if isinstance(declared, IntendedBatch):
        return declared, batch_differences(project.environment, declared, lock.current)
    return declared, differences(project.environment, declared, lock.current)


def _what_is_live(project: Project, model: str, say: Say) -> str:
    """What differs after a deploy that failed: the provider ends so, too, if it sees SageMaker take an update back.

    The provider does not see the end of that, and before it nobody knows what is live and why.
    """
    wait(project, model, say=say)
    declared, found = _compared(project, model, released(project, model))
    return f"\n{_not_as_declared(project.environment.name, model, declared, found)}" if found else ""


def _not_as_declared(environment: str, model: str, declared: Intended | IntendedBatch, found: list[Difference]) -> str:
    lines = "\n".join(f"  {told(one)}" for one in found)
    went_back = _went_back(declared, found, f"sagestack rollback {model} --env {environment}")
    return f"{model} in {environment} is not as declared:\n{lines}{went_back}"


def _keep_receipt(
    project: Project,
    declared: Intended | IntendedBatch,
    lock: ReleaseLock,
    found: list[Difference],
    *,
    by: str,
    say: Say,
) -> None:
    """What was found is the answer, with a receipt or without one."""
    receipts = Receipts(project.environment, lock.model)
    try:
        written = receipts.add(
            declared, lock.current, found, by=by, at=datetime.now(UTC), commit=commit_of(project.folder)
        )
    except (BotoCoreError, ClientError) as error:
        say(f"no receipt was kept: {error}")
        return
    if written is not None:
        say(f"receipt: {written}")


def _went_back(declared: Intended | IntendedBatch, found: list[Difference], rollback: str) -> str:
    live = next((live for what, _, live in found if what == "endpoint configuration"), None)
    if isinstance(declared, IntendedBatch) or live not in declared.declared:
        return ""
    return (
        f"\n{live} was deployed before: the deploy has not run yet, or SageMaker took the update back; "
        f"then declare it again: {rollback}"
    )
