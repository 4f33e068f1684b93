"""A function's execution environment: a warm Python process that takes one event after another."""

import contextlib
import io
import json
import os
import select
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from infra.local.cloud import LocalCloud
from infra.local.identity.sessions import Session
from infra.local.lambdas import runtime as lambda_runtime
from infra.processes import spawn, stop

READ_BYTES = 65_536
INITIALISATION_SECONDS = 60.0


@dataclass(frozen=True)
class Code:
    """What an execution environment is made of; another code or configuration needs another environment."""

    name: str
    arn: str
    version: str
    zip_bytes: bytes = field(repr=False)
    handler: str
    variables: tuple[tuple[str, str], ...]
    timeout_seconds: int
    memory_mb: int
    role_arn: str

    @property
    def log_group(self) -> str:
        """Where its output goes."""
        return f"/aws/lambda/{self.name}"


@dataclass(frozen=True)
class Answer:
    """What an invocation came to: the payload, the error's type if it failed, what it printed, how long it took."""

    payload: bytes
    error: str | None
    output: str
    milliseconds: float


class Environment:
    """One process. It serves one invocation at a time."""

    def __init__(self, cloud: LocalCloud, code: Code, acting: Session) -> None:
        self.code = code
        self.acting = acting
        self.log_stream = f"{cloud.clock.now():%Y/%m/%d}/[{code.version}]{os.urandom(16).hex()}"
        task_root = _unpacked(cloud, code.zip_bytes)
        # A file, not a pipe: nobody need read it for the function to go on.
        self._log_path = cloud.home / "lambda" / "logs" / f"{self.log_stream.rsplit(']', 1)[-1]}.log"
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("wb") as log:
            self._process = spawn(
                cloud.children,
                [sys.executable, "-P", lambda_runtime.__file__],
                env=_variables(cloud, code, task_root, self.log_stream) | acting.variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=task_root,
            )
        assert self._process.stdin is not None  # noqa: S101 - it was started with pipes
        assert self._process.stdout is not None  # noqa: S101
        self._input, self._answers = self._process.stdin, self._process.stdout
        self._log_offset = 0
        # Importing the handler's module is not part of an invocation, nor of its timeout.
        self._read_line(time.monotonic() + INITIALISATION_SECONDS)

    @property
    def usable(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: Any, request_id: str) -> Answer:  # noqa: ANN401 - any JSON
        """Hand the function one event and wait for its answer, at most as long as its timeout."""
        began = time.monotonic()
        timeout = self.code.timeout_seconds
        request = {
            "event": event,
            "request_id": request_id,
            "function_arn": self.code.arn,
            "timeout_seconds": timeout,
        }
        line = b""
        with contextlib.suppress(BrokenPipeError):
            self._input.write(json.dumps(request).encode() + b"\n")
            self._input.flush()
            line = self._read_line(began + timeout)
        milliseconds = (time.monotonic() - began) * 1000
        if line.endswith(b"\n"):
            answer = json.loads(line)
            return Answer(answer["payload"].encode(), answer["error"], self._new_output(), milliseconds)
        return self._died(request_id, milliseconds)

    def stop(self) -> None:
        """End the process."""
        stop(self._process)
        for stream in (self._input, self._answers):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._log_path.unlink(missing_ok=True)

    def _read_line(self, deadline: float) -> bytes:
        """The answer's line; what there is of it if the process ends or the deadline passes first."""
        descriptor, line = self._answers.fileno(), b""
        while not line.endswith(b"\n") and (left := deadline - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                chunk = os.read(descriptor, READ_BYTES)
                if not chunk:
                    break
                line += chunk
        return line

    def _died(self, request_id: str, milliseconds: float) -> Answer:
        if self.usable and milliseconds >= self.code.timeout_seconds * 1000:
            kind = "Sandbox.Timedout"
            message = f"RequestId: {request_id} Error: Task timed out after {self.code.timeout_seconds:.2f} seconds"
        else:
            kind = "Runtime.ExitError"
            status = self._process.wait()
            message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {status}"
        stop(self._process, grace_seconds=0)
        payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
        return Answer(payload, kind, f"{self._new_output()}{message}\n", milliseconds)

    def _new_output(self) -> str:
        with self._log_path.open("rb") as log:
            log.seek(self._log_offset)
            new = log.read()
        self._log_offset += len(new)
        return new.decode(errors="replace")


def _unpacked(cloud: LocalCloud, zip_bytes: bytes) -> Path:
    """The folder with the code, unpacked once."""
    folder = cloud.home / "lambda" / "code" / sha256(zip_bytes).hexdigest()
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.{os.urandom(4).hex()}")
        with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
            archive.extractall(partial)
        with contextlib.suppress(OSError):  # another thread was first
            partial.rename(folder)
    return folder


def _variables(cloud: LocalCloud, code: Code, task_root: Path, log_stream: str) -> dict[str, str]:
    """What Lambda's Python runtime sets, and where this cloud is."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return (
        inherited
        | dict(code.variables)
        | {
            "_HANDLER": code.handler,
            "AWS_DEFAULT_REGION": cloud.region,
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(code.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": code.name,
            "AWS_LAMBDA_FUNCTION_VERSION": code.version,
            "AWS_LAMBDA_LOG_GROUP_NAME": code.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_REGION": cloud.region,
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": str(task_root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
    )
