"""`python -m monitoring validate|baseline|drift|quality`: one processing job."""

import atexit
import gc
import os
import sys
import traceback
from importlib import import_module
from typing import Final

from monitoring.contract import BASELINE_COMMAND, DRIFT_COMMAND, QUALITY_COMMAND, VALIDATE_COMMAND
from monitoring.errors import MonitoringError
from monitoring.job import Job
from serving.core.errors import ArtifactError

COMMANDS: Final = (VALIDATE_COMMAND, BASELINE_COMMAND, DRIFT_COMMAND, QUALITY_COMMAND)
"""Each is the module of the same name, imported when asked for: the drift job need not pay for the others."""
BLAS_THREADS_VARIABLE: Final = "OPENBLAS_NUM_THREADS"
"""Files are read side by side already: more threads inside a product of small matrices only wait for each other."""


def main(arguments: list[str], job: Job) -> int:
    """Run one command and leave its exit message.

    Returns:
        0 when the job did its work; 1 when it could not, or found the data wanting; 2 for an unknown command.
    """
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m monitoring {'|'.join(COMMANDS)}\n")
        return 2
    os.environ.setdefault(BLAS_THREADS_VARIABLE, "1")
    try:
        message, code = str(import_module(f"monitoring.{arguments[0]}").run(job)), 0
    except (MonitoringError, ArtifactError) as error:
        message, code = str(error), 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: the log has the traceback, the message the reason
        traceback.print_exc()
        message, code = f"{arguments[0]} failed: {type(error).__name__}: {error}", 1
    (sys.stderr if code else sys.stdout).write(message + "\n")
    job.say(message)
    return code


if __name__ == "__main__":
    atexit.register(gc.freeze)  # or Python looks for garbage in what is about to end, for a fifth of a second
    sys.exit(main(sys.argv[1:], Job(os.environ)))
