"""A model is first loaded and asked in a process of its own.

Libraries that read models can abort, crash or turn in circles on a corrupt file: LightGBM does on most texts that lack
a few bytes. Here that ends a process which nobody needs, without a word of theirs, and what is served goes on, or says
in a line why it cannot begin. Such processes are forked by one that has everything imported and no threads: a server
that begins, or, beside one that runs, `python -m serving.trial`, which reads folders and answers reasons, a JSON text a
line.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import orjson

from serving.contract import JSON, TREES_LIBRARY_VARIABLE
from serving.core.errors import ArtifactError, InputError
from serving.core.predictor import Predictor
from serving.core.signature import Signature
from serving.invocation import Invocations
from serving.message import Request

TRIAL_SECONDS: Final = 20
START_SECONDS: Final = 120
"""A server that begins has minutes until SageMaker wants it healthy, and may hold a model that takes long to load."""
_NUMBERS: Final = (0.0, 1.0, -1.0, 1e300, -1e300)
_STDOUT, _STDERR = 1, 2


class Trial:
    """Tries models out; for one thread."""

    def __init__(self) -> None:
        self._process = _start()

    def try_out(self, folder: Path) -> None:
        """Load the model in a folder in another process, and ask it for a few scores.

        Raises:
            ArtifactError: it cannot be served.
        """
        if self._process.poll() is not None:
            self.close()
            self._process = _start()
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the trial process has no pipes")
        self._process.stdin.write(orjson.dumps(str(folder)) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if reason := orjson.loads(line) if line else "the server is ending":
            raise ArtifactError(reason)

    def close(self) -> None:
        """End the process, and what it is trying."""
        with self._process as process:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def try_out(folder: Path) -> None:
    """Load the model in a folder in another process, and let its library score a few rows; for a process of one thread.

    Raises:
        ArtifactError: it cannot be served.
    """
    if reason := _tried(folder, START_SECONDS, compiled=False):
        raise ArtifactError(reason)


def edge_rows(signature: Signature) -> bytes:
    """Rows as JSON that a model must be able to score: nothing known, and small, huge and negative numbers."""
    instances: list[list[object]] = [
        [one.categories[0] if one.categories else number for one in signature.inputs] for number in _NUMBERS
    ]
    return orjson.dumps({"instances": [[None] * len(signature.inputs), *instances]})


def main() -> None:
    """Try out every folder that is asked for on standard input, to its end, which is the server's."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(_tried(Path(orjson.loads(line)), TRIAL_SECONDS, compiled=True)) + b"\n")
        sys.stdout.buffer.flush()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _tried(folder: Path, seconds: int, *, compiled: bool) -> str:
    """Why the model cannot be served; empty if it can.

    What is compiled is proven as it is loaded; a server that begins need not do that twice.
    """
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        signal.alarm(seconds)  # ends this process, wherever it is
        if not compiled:
            os.environ.pop(TREES_LIBRARY_VARIABLE, None)
        os._exit(_try(folder, writer))
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        reason = said.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if reason or code == 0:
        return reason
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"the model file is corrupt: loading and asking it ended with {how}"


def _try(folder: Path, writer: int) -> int:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for noisy in (_STDOUT, _STDERR):
        os.dup2(nowhere, noisy)
    try:
        predictor = Predictor.load(folder)
        body = edge_rows(predictor.signature)
        Invocations(predictor).answer(Request(b"POST", content_type=JSON.encode(), body=body))
    except (ArtifactError, InputError) as error:
        os.write(writer, str(error).encode())
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        return 1
    return 0


if __name__ == "__main__":
    main()
