"""`python -m training train|prepare|evaluate`: run one job of the pipeline, and say in a file why if it fails."""

import atexit
import gc
import os
import sys
import traceback
from collections.abc import Callable
from typing import Final

from serving.contract import FAILURE_FILE, MESSAGE_FILE
from training.contract import EVALUATE_COMMAND, PREPARE_COMMAND, TRAIN_COMMAND
from training.errors import JobError, JobStopped
from training.folders import Folders
from training.spec import TrainingSpec

Job = Callable[[TrainingSpec, Folders], None]
COMMANDS: Final = (PREPARE_COMMAND, TRAIN_COMMAND, EVALUATE_COMMAND)
REASON_CHARACTERS: Final = 1024
"""What SageMaker shows of a reason."""
USAGE: Final = 2


def main(arguments: list[str]) -> int:
    """Run a job; the exit code is 0 if it did what it was asked."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m training {'|'.join(COMMANDS)}\n")
        return USAGE
    folders = Folders.read(os.environ)
    reason_file = folders.root / (FAILURE_FILE if arguments[0] == TRAIN_COMMAND else MESSAGE_FILE)
    try:
        _job(arguments[0])(TrainingSpec.read(os.environ), folders)
    except (JobError, JobStopped) as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - whatever happens, the reason file says so
        traceback.print_exc()
        reason = f"internal error: {type(error).__name__}: {error}"
    else:
        return 0
    reason_file.parent.mkdir(parents=True, exist_ok=True)
    reason_file.write_text(reason[:REASON_CHARACTERS], encoding="utf-8")
    sys.stderr.write(f"{arguments[0]} failed: {reason}\n")
    return 1


def _job(command: str) -> Job:
    """Import only what the job needs: LightGBM's package takes a second, and only training wants it."""
    if command == TRAIN_COMMAND:
        # On a core that is shared, a thread that spins while it waits costs the others ten times what it saves.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from training import train  # noqa: PLC0415

        return train.run
    if command == PREPARE_COMMAND:
        from training import prepare  # noqa: PLC0415

        return prepare.run
    from training import evaluate  # noqa: PLC0415

    return evaluate.run


if __name__ == "__main__":
    atexit.register(gc.freeze)  # or Python looks for garbage in what is about to end, for a fifth of a second
    sys.exit(main(sys.argv[1:]))
