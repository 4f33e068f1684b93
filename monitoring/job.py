"""Where a processing job finds its input and leaves its output: SageMaker's container contract.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from serving.contract import DEFAULT_ML_ROOT, MESSAGE_FILE, ML_ROOT_VARIABLE

MESSAGE_BYTES: Final = 1024
"""SageMaker shows so much of the exit message."""


class Job:
    """One run of this image: its folders, its files, its exit message."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.root = Path(environment.get(ML_ROOT_VARIABLE, DEFAULT_ML_ROOT))

    def folder(self, name: str) -> Path:
        """The folder of an input or output, `input/data` or `output/report`; it need not exist."""
        return self.root / "processing" / name

    def write_json(self, output: str, file: str, document: Mapping[str, Any]) -> Path:
        """Write `document` as `file` of an output. NaN and infinity are no JSON, so they are refused."""
        return self.write_text(output, file, json.dumps(document, indent=1, allow_nan=False) + "\n")

    def write_text(self, output: str, file: str, text: str) -> Path:
        """Write `text` as `file` of an output."""
        path = self.folder(output) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def say(self, message: str) -> None:
        """Leave the exit message: its first 1,024 bytes become the job's ExitMessage."""
        path = self.root / MESSAGE_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.encode()[:MESSAGE_BYTES].decode(errors="ignore").encode())
