"""Runs inside a function's process: reads events as JSON lines, calls the handler, writes answers as JSON lines.

Standard library only, and nothing of this package: the function's own modules must come first. Answers leave through a
copy of the standard output, which itself becomes a second standard error, so that a function may print what it likes.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TextIO

Handler = Callable[[Any, Any], Any]


def main() -> None:
    """Serve invocations until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    handler, broken = _load(os.environ["_HANDLER"])
    _write(answers, {"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        answer = broken or _invoke(handler, request)
        _flush()
        _write(answers, answer)


def _load(name: str) -> tuple[Handler, dict[str, Any] | None]:
    """The handler, or what every invocation answers because it cannot be loaded."""
    module_name, _, function = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name.replace("/", ".")), function), None
    except ImportError as error:
        broken = _failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except AttributeError:
        broken = _failure("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises
        broken = _raised(error)
    return lambda *_: None, broken


def _invoke(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"payload": json.dumps(handler(request["event"], _context(request))), "error": None}
    except Exception as error:  # noqa: BLE001 - whatever the user's handler raises
        traceback.print_exc()
        return _raised(error)


def _context(request: dict[str, Any]) -> SimpleNamespace:
    """Lambda's context object: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""
    deadline = time.monotonic() + request["timeout_seconds"]
    environment = os.environ
    return SimpleNamespace(
        function_name=environment["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=environment["AWS_LAMBDA_FUNCTION_VERSION"],
        invoked_function_arn=request["function_arn"],
        memory_limit_in_mb=environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        aws_request_id=request["request_id"],
        log_group_name=environment["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=environment["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.monotonic()) * 1000)),
    )


def _raised(error: Exception) -> dict[str, Any]:
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return _failure(type(error).__name__, str(error), stack)


def _failure(kind: str, message: str, stack: list[str] | None = None) -> dict[str, Any]:
    return {
        "payload": json.dumps({"errorMessage": message, "errorType": kind, "stackTrace": stack or []}),
        "error": kind,
    }


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _write(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
